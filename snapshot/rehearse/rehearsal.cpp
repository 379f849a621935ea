#include "snapshot/rehearse/rehearsal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "index/base/parse_number.h"
#include "index/base/visible.h"
#include "snapshot/influxdb/influxql.h"
#include "snapshot/rehearse/server_answers.h"

namespace tsmfs::snapshot {

namespace {

using Names = std::set<std::string>;

constexpr size_t kFieldsAtOnce = 50;

// "telegraf.autogen.cpu.usage", as far as it goes.
std::string place_of(const Difference& difference) {
  std::string place;
  for (const std::string* part :
       {&difference.database, &difference.policy, &difference.measurement, &difference.field})
    if (!part->empty()) place += (place.empty() ? "" : ".") + *part;
  return place;
}

class Comparison {
 public:
  Comparison(QueryClient& server, const RehearsalRequest& request)
      : server_(server), request_(request) {}

  Rehearsal run() {
    Names databases;
    for (const MetaDatabase& database : request_.metastore.databases())
      if (request_.filter.takes_database(database.name)) databases.insert(database.name);
    compare_names({.what = "database"}, databases, first_columns("SHOW DATABASES"));
    for (const MetaDatabase& database : request_.metastore.databases())
      if (databases.contains(database.name)) look_at(database);
    compare_shards(databases);
    found_.databases = databases.size();
    return std::move(found_);
  }

 private:
  // What the server refuses is a finding, and no reason not to ask the rest.
  template <typename Ask>
  void asking(const Difference& about, const Ask& ask) {
    try {
      ask();
    } catch (const QueryRefusedError& error) {
      Difference refused = about;
      refused.what = "query";
      refused.stored = "something";
      refused.answered = error.what();
      note(std::move(refused));
    }
  }

  Names first_columns(const std::string& statement) {
    const auto answer = server_.query(statement);
    return {answer.begin(), answer.end()};
  }

  void note(Difference difference) { found_.differences.push_back(std::move(difference)); }

  void compare_names(const Difference& about, const Names& stored, const Names& answered) {
    for (const std::string& name : stored)
      if (!answered.contains(name)) note_name(about, name, name, "");
    for (const std::string& name : answered)
      if (!stored.contains(name)) note_name(about, name, "", name);
  }
  void note_name(Difference about, const std::string& name, const std::string& stored,
                 const std::string& answered) {
    for (std::string* part : {&about.database, &about.policy, &about.measurement})
      if (part->empty()) {
        *part = name;
        break;
      }
    about.stored = stored;
    about.answered = answered;
    note(std::move(about));
  }

  bool takes_policy(const std::string& policy) const {
    return request_.filter.policy.empty() || request_.filter.policy == policy;
  }

  void look_at(const MetaDatabase& database) {
    Names policies, measurements;
    for (const MetaPolicy& policy : database.policies) {
      if (!takes_policy(policy.name) || !holds_shard(policy)) continue;
      policies.insert(policy.name);
      look_at(database.name, policy.name, measurements);
    }
    compare_names(
        {.database = database.name, .what = "retention policy"}, policies,
        first_columns("SHOW RETENTION POLICIES ON " + influxql_identifier(database.name)));
    if (!request_.sampled)
      compare_names({.database = database.name, .policy = "*", .what = "measurement"}, measurements,
                    first_columns("SHOW MEASUREMENTS ON " + influxql_identifier(database.name)));
    found_.policies += policies.size();
  }

  // A server that serves one shard has no policy without it.
  bool holds_shard(const MetaPolicy& policy) const {
    if (!request_.filter.shard) return true;
    return std::ranges::any_of(policy.groups, [&](const MetaShardGroup& group) {
      return !group.deleted && std::ranges::count(group.shards, *request_.filter.shard) > 0;
    });
  }

  void look_at(const std::string& database, const std::string& policy, Names& measurements) {
    const auto stored = request_.stored.policies.find({database, policy});
    if (stored == request_.stored.policies.end()) return;
    for (const auto& [measurement, fields] : stored->second.measurements) {
      measurements.insert(listed_name(request_, measurement));
      const Difference about{.database = database, .policy = policy, .measurement = measurement};
      if (can_be_asked(request_, measurement))
        asking(about, [&, &fields = fields] { compare_fields(about, fields); });
      else
        note_unasked(about, "measurement");
    }
    for (const std::string& measurement : stored->second.unfound) {
      measurements.insert(listed_name(request_, measurement));
      note_unasked({.database = database, .policy = policy, .measurement = measurement},
                   "measurement");
    }
    found_.measurements += stored->second.measurements.size();
    if (request_.exact_series)
      asking({.database = database, .policy = policy},
             [&] { compare_series(database, policy, stored->second); });
  }

  // influxd 1.6 counts a series in each shard that has it.
  void compare_series(const std::string& database, const std::string& policy,
                      const PolicyPoints& stored) {
    uint64_t answered = 0;
    const std::string statement =
        fmt::format("SHOW SERIES EXACT CARDINALITY ON {} FROM {}./.+/",
                    influxql_identifier(database), influxql_identifier(policy));
    const auto answer = server_.ask(statement);
    for (const auto& series : answer.at(0))
      for (const auto& row : series.rows)
        answered += parse_number<uint64_t>(row.empty() ? "" : row.back()).value_or(0);
    found_.series += stored.series;
    if (answered == stored.series || answered == stored.series_of_shards) return;
    note({.database = database,
          .policy = policy,
          .what = "series",
          .stored = std::to_string(stored.series),
          .answered = std::to_string(answered)});
  }

  void note_unasked(const Difference& what, std::string_view kind) {
    const bool renamed = listed_name(request_, what.measurement) != what.measurement;
    found_.unasked.push_back(fmt::format("{}: no query finds a {} of that name{}", place_of(what),
                                         kind, renamed ? ", with an index in memory" : ""));
  }

  void compare_fields(const Difference& about, MeasurementPoints fields) {
    const std::string from =
        fmt::format("FROM {}.{}.{}", influxql_identifier(about.database),
                    influxql_identifier(about.policy), influxql_measurement(about.measurement));
    auto counts = ask_counts(server_, from);
    Difference one = about;
    one.what = "points";
    std::erase_if(fields, [&](const auto& field) {
      if (!is_field_of_influxql(field.first)) return false;
      one.field = field.first;
      note_unasked(one, "field");
      counts.erase(field.first);
      return true;
    });
    for (const auto& [field, points] : fields) {
      one.field = field;
      one.stored = std::to_string(points.count);
      const auto answered = counts.extract(field);
      one.answered = answered ? answered.mapped() : "0";
      if (one.stored != one.answered) note(one);
      found_.points += points.count;
    }
    for (const auto& [field, count] : counts) {
      one.field = field;
      one.stored = "0";
      one.answered = count;
      note(one);
    }
    found_.fields += fields.size();
    compare_times(about, fields, from);
  }

  void compare_times(const Difference& about, const MeasurementPoints& fields,
                     const std::string& from) {
    for (auto next = fields.begin(); next != fields.end();) {
      std::vector<MeasurementPoints::const_iterator> asked;
      std::string statements;
      for (; next != fields.end() && asked.size() < kFieldsAtOnce; ++next) {
        asked.push_back(next);
        for (const char* end : {"first", "last"})
          statements += fmt::format("SELECT {}({}) {};", end, influxql_field(next->first), from);
      }
      const auto answers = server_.ask(statements);
      for (size_t i = 0; i < answers.size() && i / 2 < asked.size(); ++i) {
        const auto& [field, points] = *asked[i / 2];
        Difference one = about;
        one.field = field;
        one.what = i % 2 == 0 ? "first time" : "last time";
        one.stored = std::to_string(i % 2 == 0 ? points.first_ns : points.last_ns);
        const auto& answer = answers[i];
        if (!answer.empty() && !answer[0].rows.empty()) one.answered = answer[0].rows[0].at(0);
        if (one.stored != one.answered) note(one);
      }
    }
  }

  void compare_shards(const Names& databases) {
    std::map<std::pair<std::string, std::string>, Names> stored, answered;
    for (const MetaDatabase& database : request_.metastore.databases())
      for (const MetaPolicy& policy : database.policies)
        for (const MetaShardGroup& group : policy.groups)
          for (const uint64_t shard : group.shards)
            if (!group.deleted && request_.filter.takes(database.name, policy.name, shard))
              stored[{database.name, policy.name}].insert(std::to_string(shard));
    for (const AnsweredShard& shard : ask_shards(server_))
      if (databases.contains(shard.database))
        answered[{shard.database, shard.policy}].insert(shard.id);
    for (const auto& [place, shards] : answered) stored[place];
    for (const auto& [place, shards] : stored) {
      found_.shards += shards.size();
      const Names& there = answered[place];
      if (there != shards)
        note({.database = place.first,
              .policy = place.second,
              .what = "shards",
              .stored = fmt::format("{}", fmt::join(shards, ", ")),
              .answered = fmt::format("{}", fmt::join(there, ", "))});
    }
  }

  QueryClient& server_;
  const RehearsalRequest& request_;
  Rehearsal found_;
};

}  // namespace

std::string describe(const Difference& difference) {
  return visible(fmt::format("{}: {}: {} {}, {} {}", place_of(difference), difference.what,
                             difference.stored.empty() ? "none" : difference.stored,
                             difference.beside_live ? "here" : "stored",
                             difference.answered.empty() ? "none" : difference.answered,
                             difference.beside_live ? "on the live server" : "answered"));
}

std::string listed_name(const RehearsalRequest& request, const std::string& measurement) {
  if (!request.index_in_memory) return measurement;
  std::string name;
  for (size_t i = 0; i < measurement.size(); ++i) {
    constexpr std::string_view kEscaped = ",\" =";
    if (measurement[i] == '\\' && i + 1 < measurement.size() &&
        kEscaped.find(measurement[i + 1]) != std::string_view::npos)
      ++i;
    name += measurement[i];
  }
  return name;
}

bool can_be_asked(const RehearsalRequest& request, const std::string& measurement) {
  return !is_measurement_of_influxql(measurement) &&
         listed_name(request, measurement) == measurement;
}

Rehearsal rehearse(QueryClient& server, const RehearsalRequest& request) {
  return Comparison(server, request).run();
}

}  // namespace tsmfs::snapshot
