// Pieces of a metastore, as the server writes them, by hand: see snapshot/influxdb/metastore.proto.
#pragma once

#include <cstdint>
#include <string>

#include "tests/support/protobuf.h"

namespace tsmfs::support::metastore {

inline std::string shard(uint64_t id) {
  return protobuf::bytes(5, protobuf::number(1, id));
}
// Of 100 ns.
inline std::string group(uint64_t id, int64_t start, const std::string& shards,
                         uint64_t deleted = 0) {
  const std::string times = protobuf::number(2, static_cast<uint64_t>(start)) +
                            protobuf::number(3, static_cast<uint64_t>(start + 100)) +
                            protobuf::number(4, deleted);
  return protobuf::bytes(5, protobuf::number(1, id) + times + shards);
}
inline std::string policy(const std::string& name, const std::string& groups,
                          uint64_t duration = 0) {
  return protobuf::bytes(3, protobuf::bytes(1, name) + protobuf::number(2, duration) +
                                protobuf::number(3, 3600) + protobuf::number(4, 1) + groups);
}
inline std::string database(const std::string& name, const std::string& rest,
                            const std::string& default_policy = "autogen") {
  return protobuf::bytes(5, protobuf::bytes(1, name) + protobuf::bytes(2, default_policy) + rest);
}

}  // namespace tsmfs::support::metastore
