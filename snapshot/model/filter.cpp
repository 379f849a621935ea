#include "snapshot/model/filter.h"

#include <fmt/format.h>

#include <algorithm>

namespace tsmfs::snapshot {

bool Filter::takes_database(std::string_view name) const {
  if (metastore_only) return false;
  return databases.empty() ||
         std::find(databases.begin(), databases.end(), name) != databases.end();
}

bool Filter::takes(std::string_view database_name, std::string_view policy_name,
                   uint64_t number) const {
  return takes_database(database_name) && (policy.empty() || policy == policy_name) &&
         (!shard || *shard == number);
}

std::string Filter::text() const {
  if (metastore_only) return "metastore only";
  std::vector<std::string> parts;
  for (const std::string& database : databases) parts.push_back("database " + database);
  if (!policy.empty()) parts.push_back("policy " + policy);
  if (shard) parts.push_back(fmt::format("shard {}", *shard));
  if (range)
    parts.push_back(
        fmt::format("{} to {}", format_rfc3339(range->start), format_rfc3339(range->end)));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string Filter::only_text() const {
  return metastore_only ? "the metastore only" : "only " + text();
}

}  // namespace tsmfs::snapshot
