// Where a shard lies on a server: "database/policy/shard".
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tsmfs::snapshot {

struct ShardPath {
  std::string database;
  std::string policy;
  uint64_t shard = 0;
  auto operator<=>(const ShardPath&) const = default;
  // "database/policy/shard"
  std::string text() const;
};

// Reads text() back; nothing for any other form. Both names are then fit to stand in a directory
// (is_valid_name), and the number has no leading zeros.
std::optional<ShardPath> parse_shard_path(std::string_view text);

}  // namespace tsmfs::snapshot
