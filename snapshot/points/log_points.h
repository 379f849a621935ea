// The points of a shard's write-ahead log, as influxd has them in its cache after a start.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "snapshot/influxdb/wal_entries.h"

namespace tsmfs::snapshot {

// Memory: the keys, and 8 bytes a point. Not thread safe.
class LogPoints : private WalVisitor {
 public:
  struct Key {
    uint8_t type = 0;               // as of a TSM block
    std::vector<int64_t> times_ns;  // after finish(), in order and each once
  };
  using Keys = std::map<std::string, Key, std::less<>>;

  // Adds a segment. They come in the order of their names. Returns up to which offset it is sound:
  // its size when all of it is. Throws: Cancelled; what `segment` throws.
  uint64_t add(index::ByteSource& segment, const std::stop_token& stop);
  void finish();
  // Those that have points.
  const Keys& keys() const { return keys_; }
  // Those that were written with another type than they had: influxd does not open such a shard.
  const std::set<std::string, std::less<>>& conflicts() const { return conflicts_; }

 private:
  void write(std::string_view key, uint8_t type, std::span<const int64_t> times_ns) override;
  void remove(std::string_view key, int64_t first_ns, int64_t last_ns) override;
  void require_going_on();

  std::stop_token stop_;
  uint64_t visits_ = 0;
  Keys keys_;
  std::set<std::string, std::less<>> conflicts_;
};

}  // namespace tsmfs::snapshot
