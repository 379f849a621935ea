#include "snapshot/influxdb/derived_metastore.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "index/base/some_of.h"
#include "snapshot/influxdb/metastore.pb.h"
#include "snapshot/influxdb/shard_windows.h"
#include "snapshot/model/filter.h"

namespace tsmfs::snapshot {

namespace {

constexpr int64_t kMinuteNs = 60 * kNanosecondsPerSecond;
// influxd's, of what is kept for ever.
constexpr int64_t kDefaultDurationNs = int64_t{168} * 60 * kMinuteNs;
constexpr const char* kDefaultPolicy = "autogen";
constexpr size_t kDerivedNamedMax = 5;

using Shards = std::vector<ShardWindow>;

std::string in_words(int64_t duration_ns) {
  const int64_t minutes = duration_ns / kMinuteNs;
  if (minutes * kMinuteNs != duration_ns) return fmt::format("{}ns", duration_ns);
  return minutes % 60 == 0 ? fmt::format("{}h", minutes / 60) : fmt::format("{}m", minutes);
}

std::string numbers(const Shards& shards, bool ShardWindow::*which) {
  std::vector<std::string> found;
  for (const ShardWindow& shard : shards)
    if (shard.*which) found.push_back(std::to_string(shard.shard));
  return found.empty() ? std::string() : some_of(found, kDerivedNamedMax);
}

void require_distinct_numbers(const TimesOfShards& shards) {
  std::map<uint64_t, const ShardPath*> by_number;
  for (const auto& [path, times] : shards) {
    const auto [there, fresh] = by_number.emplace(path.shard, &path);
    if (!fresh)
      throw UsageError(fmt::format("two shards have the number {}: {} and {}, and a server knows "
                                   "its shards by number alone",
                                   path.shard, quote(there->second->text()), quote(path.text())),
                       "move one of them away");
  }
}

class Deriver {
 public:
  explicit Deriver(std::optional<int64_t> duration_ns) : asked_(duration_ns) {
    data_.set_term(0);
    data_.set_index(1);
    data_.set_clusterid(0);
    data_.set_maxnodeid(0);
    data_.set_maxshardgroupid(0);
    data_.set_maxshardid(0);
  }

  DerivedMetastore derive(const TimesOfShards& shards) {
    for (auto first = shards.begin(); first != shards.end();) {
      const ShardPath& of = first->first;
      const auto last = std::find_if(first, shards.end(), [&](const auto& shard) {
        return shard.first.database != of.database || shard.first.policy != of.policy;
      });
      add_policy(database_of(of), of, known(first, last));
      first = last;
    }
    return {data_.SerializeAsString(), std::move(notes_)};
  }

 private:
  using Iterator = TimesOfShards::const_iterator;

  void note(std::string path, std::string what) {
    notes_.push_back({Problem::Severity::kWarning, std::move(path), std::move(what)});
  }

  // The databases come in order, and so do their policies.
  metastore::DatabaseInfo& database_of(const ShardPath& shard) {
    auto& databases = *data_.mutable_databases();
    if (databases.empty() || databases.rbegin()->name() != shard.database.text()) {
      databases.Add()->set_name(shard.database.text());
      databases.rbegin()->set_defaultretentionpolicy(shard.policy.text());
    }
    metastore::DatabaseInfo& database = *databases.rbegin();
    if (shard.policy.text() == kDefaultPolicy) database.set_defaultretentionpolicy(kDefaultPolicy);
    return database;
  }

  // Those whose times are known, sorted by them. No number may be given again while its directory
  // is there.
  Shards known(Iterator shard, Iterator end) {
    Shards found;
    for (; shard != end; ++shard) {
      data_.set_maxshardid(std::max(data_.maxshardid(), shard->first.shard));
      if (!shard->second) {
        note(shard->first.text(),
             "has no points whose times are known, so the metastore has it in no shard group: a "
             "server ignores it");
        continue;
      }
      ShardWindow window;
      window.shard = shard->first.shard;
      window.times.first = std::clamp(shard->second->first, kInfluxTimeMin, kInfluxTimeMax);
      window.times.last = std::clamp(shard->second->last, window.times.first, kInfluxTimeMax);
      found.push_back(window);
    }
    std::ranges::stable_sort(found, {}, [](const ShardWindow& each) { return each.times.first; });
    return found;
  }

  void add_policy(metastore::DatabaseInfo& database, const ShardPath& place, Shards shards) {
    const auto fitting = asked_ || shards.empty() ? asked_ : fitting_duration(shards);
    const int64_t duration_ns = fitting.value_or(kDefaultDurationNs);
    lay_out(shards, duration_ns);
    metastore::RetentionPolicyInfo& policy = *database.add_retentionpolicies();
    policy.set_name(place.policy.text());
    policy.set_duration(0);
    policy.set_shardgroupduration(duration_ns);
    policy.set_replican(1);
    for (const ShardWindow& shard : shards) add_group(policy, shard);
    note_policy(place, shards, duration_ns);
  }

  void add_group(metastore::RetentionPolicyInfo& policy, const ShardWindow& shard) {
    metastore::ShardGroupInfo& group = *policy.add_shardgroups();
    data_.set_maxshardgroupid(data_.maxshardgroupid() + 1);
    group.set_id(data_.maxshardgroupid());
    group.set_starttime(shard.start.unix_ns);
    group.set_endtime(shard.end.unix_ns);
    group.set_deletedat(0);
    group.add_shards()->set_id(shard.shard);
  }

  void note_policy(const ShardPath& place, const Shards& shards, int64_t duration_ns) {
    const std::string path = place.database.text() + "/" + place.policy.text();
    const std::string duration = in_words(duration_ns);
    note(path, fmt::format("gets the shard duration {}, and keeps its points for ever", duration));
    if (const auto named = numbers(shards, &ShardWindow::widened); !named.empty())
      note(path, fmt::format("has points of more than {} in one shard, whose shard group is made "
                             "that wide: {}",
                             duration, named));
    if (const auto named = numbers(shards, &ShardWindow::cut); !named.empty())
      note(path, fmt::format("has several shards in one {}, which share it between their points: "
                             "{}",
                             duration, named));
    if (const auto named = numbers(shards, &ShardWindow::overlaps); !named.empty())
      note(path, fmt::format("has shards with points of times that others have too; their shard "
                             "groups overlap, and points that both hold are answered twice: {}",
                             named));
  }

  const std::optional<int64_t> asked_;
  metastore::Data data_;
  std::vector<Problem> notes_;
};

}  // namespace

DerivedMetastore derive_metastore(const TimesOfShards& shards, std::optional<int64_t> duration_ns) {
  require_distinct_numbers(shards);
  return Deriver(duration_ns).derive(shards);
}

int64_t parse_shard_duration(const std::string& text) {
  constexpr std::string_view kUnits = "mhdw";
  constexpr int64_t kUnitNs[] = {kMinuteNs, int64_t{60} * kMinuteNs, int64_t{24} * 60 * kMinuteNs,
                                 int64_t{168} * 60 * kMinuteNs};
  const char* advice = "give one such as 168h, 7d or 1h30m";
  int64_t sum = 0;
  for (std::string_view rest = text; !rest.empty();) {
    int64_t count = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    const size_t unit = rest.empty() ? kUnits.npos : kUnits.find(rest.front());
    int64_t part = 0;
    if (error != std::errc() || count < 0 || unit == kUnits.npos ||
        __builtin_mul_overflow(count, kUnitNs[unit], &part) ||
        __builtin_add_overflow(sum, part, &sum))
      throw UsageError(fmt::format("{} is no shard duration", quote(text)), advice);
    rest.remove_prefix(1);
  }
  if (sum < kShardDurationMinNs)
    throw UsageError(
        fmt::format("{} is no shard duration: influxd's are an hour at least", quote(text)),
        advice);
  return sum;
}

}  // namespace tsmfs::snapshot
