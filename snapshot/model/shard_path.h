// Where a shard lies on a server: "database/policy/shard".
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "index/base/name.h"

namespace tsmfs::snapshot {

struct ShardPath {
  Name database;
  Name policy;
  uint64_t shard = 0;
  auto operator<=>(const ShardPath&) const = default;
  // "database/policy/shard"
  std::string text() const;
  // The shard's own: its number.
  Name directory() const;
};

// Reads text() back; nothing for any other form: a name that is none, a number with leading zeros.
std::optional<ShardPath> parse_shard_path(std::string_view text);

}  // namespace tsmfs::snapshot
