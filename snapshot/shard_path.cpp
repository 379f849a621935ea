#include "snapshot/shard_path.h"

#include <fmt/format.h>

#include <charconv>

#include "snapshot/tree.h"

namespace tsmfs::snapshot {

std::string ShardPath::text() const {
  return fmt::format("{}/{}/{}", database, policy, shard);
}

std::optional<ShardPath> parse_shard_path(std::string_view text) {
  const size_t number_slash = text.rfind('/');
  if (number_slash == std::string_view::npos || number_slash == 0) return std::nullopt;
  const size_t policy_slash = text.rfind('/', number_slash - 1);
  if (policy_slash == std::string_view::npos) return std::nullopt;
  const std::string_view number = text.substr(number_slash + 1);
  ShardPath path{std::string(text.substr(0, policy_slash)),
                 std::string(text.substr(policy_slash + 1, number_slash - policy_slash - 1)), 0};
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), path.shard);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  // Also says no to a database with a slash in it, and to "007".
  if (!is_valid_name(path.database) || !is_valid_name(path.policy) || path.text() != text)
    return std::nullopt;
  return path;
}

}  // namespace tsmfs::snapshot
