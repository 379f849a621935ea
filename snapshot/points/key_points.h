// The points of one key: of its blocks in any number of files, and of the write-ahead log, each
// time once.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "index/tsm/tsm_index.h"
#include "snapshot/points/deleted_ranges.h"

namespace tsmfs::snapshot {

// Of one key, the times of blocks that are held at once: only where blocks overlap is there more
// than one. A thousand files whose blocks of 1000 points all overlap need an eighth of it.
constexpr size_t kHeldTimesMax = size_t{1} << 23;

struct CountedPoints {
  uint64_t count = 0;
  int64_t first_ns = 0, last_ns = 0;  // both inclusive; 0 without points

  // Requires: no point is in both.
  void add(const CountedPoints& other);
};

struct KeyBlock {
  index::TsmBlockEntry entry;
  size_t file = 0;                        // whose block it is; the caller's number
  std::span<const DeletedRange> deleted;  // of the key in that file
};

// Whether one range takes all of it: it need not be read.
bool is_deleted_whole(const KeyBlock& block);

// Puts the times of a block into a buffer, in order; none of one that cannot be read.
using ReadKeyBlock = std::function<void(const KeyBlock&, std::vector<int64_t>& times_ns)>;

// Keeps its buffers from key to key. Not thread safe.
class KeyPoints {
 public:
  // `too_many` is told of each block that is left out because of kHeldTimesMax.
  KeyPoints(ReadKeyBlock read, std::function<void(const KeyBlock&)> too_many)
      : read_(std::move(read)), too_many_(std::move(too_many)) {}
  // Sorts `blocks`. Requires: `log_times_ns` is
  // sorted, each once. Throws: what the functions throw.
  CountedPoints count(std::vector<KeyBlock>& blocks, std::span<const int64_t> log_times_ns);

 private:
  struct Open {
    std::vector<int64_t> times;
    size_t next = 0;
    int64_t time() const { return times[next]; }
  };
  bool is_alone(std::span<const KeyBlock> rest) const;
  void read_block(const KeyBlock& block, std::vector<int64_t>& times);
  void open(const KeyBlock& block);
  void take_log_before(int64_t time_ns);
  void take_earliest();
  void add(int64_t time_ns);
  void add_all(std::span<const int64_t> times_ns);

  const ReadKeyBlock read_;
  const std::function<void(const KeyBlock&)> too_many_;
  CountedPoints counted_;
  std::span<const int64_t> log_;  // what is left of it
  std::vector<Open> open_;        // a heap, the earliest time first
  std::vector<std::vector<int64_t>> spare_;
  size_t held_ = 0;  // times in open_
};

}  // namespace tsmfs::snapshot
