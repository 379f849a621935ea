// Shards with points that are known, in a repository.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "snapshot/points/stored_points.h"
#include "tests/support/gzip.h"
#include "tests/support/point_tsm.h"
#include "tests/support/store_fixture.h"
#include "tests/support/wal_log.h"

namespace tsmfs::test {

inline std::string big_endian_time(int64_t time_ns) {
  return big_endian(static_cast<uint64_t>(time_ns));
}

// Of a tombstone of version 2; compressed, of 3 and 4.
inline std::string deletion(const std::string& key, int64_t first_ns = INT64_MIN,
                            int64_t last_ns = INT64_MAX) {
  return big_endian(static_cast<uint32_t>(key.size())) + key + big_endian_time(first_ns) +
         big_endian_time(last_ns);
}
inline std::string tombstone_v2(const std::string& records) {
  return std::string("\0\0\x15\x02", 4) + records;
}
inline std::string tombstone_v3(const std::string& records) {
  return std::string("\0\0\x15\x03", 4) + support::gzip(records);
}
inline std::string tombstone_v4(const std::vector<std::string>& members) {
  std::string file("\0\0\x15\x04", 4);
  for (const std::string& records : members) file += support::gzip(records);
  return file;
}

// Of floats (1) or integers (2).
inline std::string log_write(const std::string& key, const std::vector<int64_t>& times_ns,
                             char type = 1) {
  std::string content = std::string(1, type) + big_endian(static_cast<uint16_t>(key.size())) + key +
                        big_endian(static_cast<uint32_t>(times_ns.size()));
  for (const int64_t time : times_ns) content += big_endian_time(time) + std::string(8, 'v');
  return log_entry(1, content);
}
inline std::string log_delete(const std::string& keys) {
  return log_entry(2, keys);
}
inline std::string log_delete_range(const std::string& key, int64_t first_ns, int64_t last_ns) {
  return log_entry(3, big_endian_time(first_ns) + big_endian_time(last_ns) +
                          big_endian(static_cast<uint32_t>(key.size())) + key);
}

inline std::string point_tsm(const KeyTimes& keys, size_t points_per_block = 1000,
                             uint8_t type = 0) {
  return std::string(as_text(make_point_tsm(keys, points_per_block, 0, type)));
}

class PointsFixture {
 public:
  using Files = std::map<std::string, std::string>;  // name → content

  PointsFixture() {
    index::Repository::create({dir_ / "repo"});
    repository_ = index::Repository::open_writer({dir_ / "repo", "test"});
  }
  void add_data(std::string_view path, const Files& files) { data_.push_back(shard(path, files)); }
  void add_log(std::string_view path, const Files& files) { log_.push_back(shard(path, files)); }

  snapshot::StoredPoints count(const snapshot::PointCounting& counting = {},
                               const std::stop_token& stop = {}) {
    return snapshot::count_points(repository_->objects(), data_, log_, counting, stop);
  }
  index::ObjectReader& objects() { return repository_->objects(); }

 private:
  snapshot::StoredShard shard(std::string_view path, const Files& files) {
    snapshot::StoredShard shard{*snapshot::parse_shard_path(path), {}, 0};
    index::RepositoryWriter writer(*repository_, {});
    for (const auto& [name, content] : files) {
      const auto stored = put(writer, as_bytes(content), index::FileKind::kOther);
      shard.files.push_back({Name::require(name, "the test"), snapshot::EntryKind::kFile, 0644,
                             Timestamp{}, content.size(), 0, stored.id});
      shard.bytes += content.size();
    }
    writer.flush();
    return shard;
  }

  TempDir dir_;
  std::unique_ptr<index::Repository> repository_;
  std::vector<snapshot::StoredShard> data_, log_;
};

}  // namespace tsmfs::test
