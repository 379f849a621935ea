#include "snapshot/influxdb/name_problems.h"

#include <fmt/format.h>

#include "index/base/name.h"
#include "index/base/quote.h"

namespace tsmfs::snapshot {

namespace {

constexpr const char* kConsequence =
    "has a name that no directory can have: its shards are not in the snapshot, and it cannot be "
    "restored; the metastore is stored as it is";

}  // namespace

std::vector<Problem> name_problems(const Metastore& metastore, const Filter& filter) {
  std::vector<Problem> problems;
  const auto add = [&](std::string what) {
    problems.push_back({Problem::Severity::kIncomplete, "", std::move(what) + kConsequence});
  };
  for (const MetaDatabase& database : metastore.databases()) {
    if (!filter.takes_database(database.name)) continue;
    if (!is_valid_name(database.name)) {
      add(fmt::format("database {} ", quote(database.name)));
      continue;
    }
    for (const MetaPolicy& policy : database.policies)
      if (!is_valid_name(policy.name) && (filter.policy.empty() || filter.policy == policy.name))
        add(fmt::format("retention policy {} of database {} ", quote(policy.name),
                        quote(database.name)));
  }
  return problems;
}

}  // namespace tsmfs::snapshot
