#include "snapshot/model/shard_path.h"

#include <fmt/format.h>

#include "index/base/parse_number.h"

namespace tsmfs::snapshot {

std::string ShardPath::text() const {
  return fmt::format("{}/{}/{}", database, policy, shard);
}

Name ShardPath::directory() const {
  return Name::require(std::to_string(shard), "the number of a shard");
}

std::optional<ShardPath> parse_shard_path(std::string_view text) {
  const size_t number_slash = text.rfind('/');
  if (number_slash == std::string_view::npos || number_slash == 0) return std::nullopt;
  const size_t policy_slash = text.rfind('/', number_slash - 1);
  if (policy_slash == std::string_view::npos) return std::nullopt;
  const std::string_view number = text.substr(number_slash + 1);
  // Also says no to a database with a slash in it.
  const auto database = Name::parse(text.substr(0, policy_slash));
  const auto policy = Name::parse(text.substr(policy_slash + 1, number_slash - policy_slash - 1));
  if (!database || !policy) return std::nullopt;
  const auto shard = parse_number<uint64_t>(number);
  if (!shard) return std::nullopt;
  ShardPath path{*database, *policy, *shard};
  if (path.text() != text) return std::nullopt;  // "007"
  return path;
}

}  // namespace tsmfs::snapshot
