// The answer to a database request: {"Paths":["database/policy/shard", ...]}, or {"Paths":null}.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "snapshot/model/shard_path.h"

namespace tsmfs::snapshot {

constexpr uint64_t kPathListBytesMax = uint64_t{64} << 20;
// Of one database. A server with a shard an hour for ten years has a third of that.
constexpr size_t kPathsMax = 250'000;

struct PathList {
  std::vector<ShardPath> shards;  // sorted
  // "database/..." with something else behind it than a policy and a number: of a policy whose name
  // no directory can have.
  std::vector<std::string> unusable;
};

// Takes no memory for anything but the paths, however the JSON is nested. Throws: ProtocolError,
// naming `label`, for any other JSON, more than kPathsMax paths, a path of another database, and a
// path that comes twice.
PathList parse_path_list(std::string_view json, std::string_view database, std::string_view label);

}  // namespace tsmfs::snapshot
