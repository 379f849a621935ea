#include "snapshot/rehearse/live_comparison.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "snapshot/influxdb/influxql.h"

namespace tsmfs::snapshot {

namespace {

// As SHOW SHARDS names one: database, policy, id, begin.
using LiveShards = std::set<std::tuple<std::string, std::string, std::string, std::string>>;

LiveShards shards_of(QueryClient& server) {
  constexpr size_t kId = 0, kDatabase = 1, kPolicy = 2, kStart = 4;
  LiveShards shards;
  const auto answer = server.ask("SHOW SHARDS");
  for (const auto& series : answer.at(0))
    for (const auto& row : series.rows)
      if (row.size() > kStart) shards.emplace(row[kDatabase], row[kPolicy], row[kId], row[kStart]);
  return shards;
}

constexpr std::string_view kCountPrefix = "count_";
using Counts = std::map<std::string, std::string>;  // by column

std::string figure(const Counts& counts, const std::string& column) {
  const auto found = counts.find(column);
  return found == counts.end() ? "0" : found->second;
}

Counts counts(QueryClient& server, const std::string& statement) {
  Counts found;
  const auto answer = server.ask(statement);
  for (const auto& series : answer.at(0))
    for (size_t i = 1; i < series.columns.size() && !series.rows.empty(); ++i)
      if (const std::string& count = series.rows[0].at(i); !count.empty() && count != "0")
        found[series.columns[i]] = count;
  return found;
}

class LiveShardComparison {
 public:
  LiveShardComparison(QueryClient& past, QueryClient& live, const RehearsalRequest& request,
                      Timestamp taken)
      : past_(past), live_(live), request_(request), taken_(taken) {}

  LiveComparison run() {
    const LiveShards past = shards_of(past_), live = shards_of(live_);
    for (const MetaDatabase& database : request_.metastore.databases())
      for (const MetaPolicy& policy : database.policies)
        for (const MetaShardGroup& group : policy.groups) {
          if (group.deleted || group.end.unix_ns > taken_.unix_ns) continue;
          for (const uint64_t shard : group.shards)
            if (is_on_both(past, live, database.name, policy.name, shard))
              compare(database.name, policy.name, shard, group);
        }
    return std::move(found_);
  }

 private:
  static bool is_on_both(const LiveShards& past, const LiveShards& live,
                         const std::string& database, const std::string& policy, uint64_t shard) {
    const auto one = past.lower_bound({database, policy, std::to_string(shard), ""});
    return one != past.end() && std::get<0>(*one) == database && std::get<1>(*one) == policy &&
           std::get<2>(*one) == std::to_string(shard) && live.contains(*one);
  }

  void compare(const std::string& database, const std::string& policy, uint64_t shard,
               const MetaShardGroup& group) {
    const auto stored = request_.stored.policies.find({database, policy});
    if (stored == request_.stored.policies.end()) return;
    ++found_.shards;
    for (const auto& [measurement, fields] : stored->second.measurements) {
      const std::string statement =
          fmt::format("SELECT count(*) FROM {}.{}.{} WHERE time >= {} AND time < {}",
                      influxql_identifier(database), influxql_identifier(policy),
                      influxql_identifier(measurement), group.start.unix_ns, group.end.unix_ns);
      const Counts before = counts(past_, statement), now = counts(live_, statement);
      std::set<std::string> columns;
      for (const Counts* counted : {&before, &now})
        for (const auto& [column, count] : *counted) columns.insert(column);
      for (const std::string& column : columns) {
        Difference one{database,
                       policy,
                       measurement,
                       column.substr(kCountPrefix.size()),
                       fmt::format("points of shard {} on the live server", shard),
                       figure(before, column),
                       figure(now, column)};
        if (one.stored != one.answered) found_.differences.push_back(std::move(one));
      }
    }
  }

  QueryClient &past_, &live_;
  const RehearsalRequest& request_;
  const Timestamp taken_;
  LiveComparison found_;
};

}  // namespace

LiveComparison compare_with_live(QueryClient& past, QueryClient& live,
                                 const RehearsalRequest& request, Timestamp taken) {
  return LiveShardComparison(past, live, request, taken).run();
}

}  // namespace tsmfs::snapshot
