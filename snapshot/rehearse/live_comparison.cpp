#include "snapshot/rehearse/live_comparison.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "snapshot/influxdb/influxql.h"
#include "snapshot/rehearse/server_answers.h"

namespace tsmfs::snapshot {

namespace {

using Counts = std::map<std::string, std::string>;  // by field

// Those that both servers have, of the same begin; without it.
std::set<AnsweredShard> shards_of_both(QueryClient& past, QueryClient& live) {
  const auto on_live = ask_shards(live);
  const std::set<AnsweredShard> there(on_live.begin(), on_live.end());
  std::set<AnsweredShard> both;
  for (const AnsweredShard& shard : ask_shards(past))
    if (there.contains(shard)) both.insert({shard.database, shard.policy, shard.id, ""});
  return both;
}

std::string figure(const Counts& counts, const std::string& field) {
  const auto found = counts.find(field);
  return found == counts.end() ? "0" : found->second;
}

class LiveShardComparison {
 public:
  LiveShardComparison(QueryClient& past, QueryClient& live, const RehearsalRequest& request,
                      Timestamp taken)
      : past_(past), live_(live), request_(request), taken_(taken) {}

  LiveComparison run() {
    const auto both = shards_of_both(past_, live_);
    for (const MetaDatabase& database : request_.metastore.databases())
      for (const MetaPolicy& policy : database.policies)
        for (const MetaShardGroup& group : policy.groups) {
          if (group.deleted || group.end.unix_ns > taken_.unix_ns) continue;
          for (const uint64_t shard : group.shards)
            if (both.contains({database.name, policy.name, std::to_string(shard), ""}))
              compare(database.name, policy.name, shard, group);
        }
    return std::move(found_);
  }

 private:
  void compare(const std::string& database, const std::string& policy, uint64_t shard,
               const MetaShardGroup& group) {
    const auto stored = request_.stored.policies.find({database, policy});
    if (stored == request_.stored.policies.end()) return;
    ++found_.shards;
    for (const auto& [measurement, fields] : stored->second.measurements) {
      if (!can_be_asked(request_, measurement)) continue;
      const std::string from =
          fmt::format("FROM {}.{}.{} WHERE time >= {} AND time < {}", influxql_identifier(database),
                      influxql_identifier(policy), influxql_measurement(measurement),
                      group.start.unix_ns, group.end.unix_ns);
      const Counts before = ask_counts(past_, from), now = ask_counts(live_, from);
      std::set<std::string> fields_of_both;
      for (const Counts* counted : {&before, &now})
        for (const auto& [field, count] : *counted) fields_of_both.insert(field);
      for (const std::string& field : fields_of_both) {
        Difference one{.database = database,
                       .policy = policy,
                       .measurement = measurement,
                       .field = field,
                       .what = fmt::format("points of shard {}", shard),
                       .stored = figure(before, field),
                       .answered = figure(now, field),
                       .beside_live = true};
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
