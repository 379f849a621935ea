#include "cli/serve/rehearsal_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <set>
#include <utility>

#include "cli/process/time_limit.h"
#include "index/base/damage.h"
#include "index/base/file.h"
#include "snapshot/influxdb/influxql.h"
#include "snapshot/model/metastore_limit.h"
#include "snapshot/model/stored_shards.h"

namespace tsmfs::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kFirstWithExactSeries = 5;  // influxd 1.5 counts them

// The shard groups' times, of a metastore that outlives it.
snapshot::GroupTimesOf group_times_of(const snapshot::Metastore& metastore) {
  return [&metastore](const snapshot::ShardPath& shard) -> std::optional<snapshot::GroupTimes> {
    const auto place = metastore.find_shard(shard.shard);
    if (!place) return std::nullopt;
    return snapshot::GroupTimes{place->group->start.unix_ns, place->group->end.unix_ns};
  };
}

class RehearsalRun {
 public:
  RehearsalRun(index::Repository& repository, snapshot::Catalog& catalog, const ServedPlace& place,
               RehearsalTask task, const std::stop_token& stop)
      : repository_(repository),
        catalog_(catalog),
        place_(place),
        task_(std::move(task)),
        user_stop_(stop),
        start_(Clock::now()),
        limit_(stop, start_ + task_.timeout) {
    if (task_.live) live_.emplace(*task_.live, limit_.token());
    task_.server.deadline = start_ + task_.timeout;
    outcome_.snapshot = task_.server.part.snapshot;
    outcome_.influxd = task_.server.influxd.version;
    outcome_.complete = task_.complete;
    outcome_.extent = extent();
  }

  RehearsalOutcome run() {
    boot_and_compare();
    outcome_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    if (outcome_.unfinished.empty()) record();
    return std::move(outcome_);
  }

 private:
  const ServedPart& part() const { return task_.server.part; }

  std::string extent() const {
    std::vector<std::string> parts;
    if (!part().filter.is_everything()) parts.push_back(part().filter.text());
    if (task_.sample > 0)
      parts.push_back(fmt::format("{} measurements of each database", task_.sample));
    if (part().make_metastore) parts.emplace_back("with a derived metastore");
    return fmt::format("{}", fmt::join(parts, ", "));
  }

  // What keeps the server from answering is a finding, too.
  void boot_and_compare() {
    try {
      if (!part().make_metastore &&
          !snapshot::stored_meta_file(repository_, *outcome_.snapshot, "meta.db")) {
        outcome_.failure =
            "the snapshot has no metastore: no server would know its shards; --make-metastore "
            "derives one";
        return;
      }
      PastServer server(repository_, catalog_, place_, task_.server, limit_.token());
      outcome_.warnings = server.warnings();
      for (const std::string& problem : server.problems())
        outcome_.problems.push_back({snapshot::Problem::Severity::kIncomplete, "", problem});
      compare();
      server.require_sound();
    } catch (const InfluxdEndedError& error) {
      (is_late() ? outcome_.unfinished : outcome_.failure) = error.what();
    } catch (const ProtocolError& error) {
      (is_late() ? outcome_.unfinished : outcome_.failure) = error.what();
    } catch (const CorruptError& error) {
      outcome_.failure = error.what();
    } catch (const Cancelled&) {
      if (user_stop_.stop_requested()) throw;
      outcome_.unfinished = fmt::format("the rehearsal did not end within {} s",
                                        std::chrono::duration<double>(task_.timeout).count());
    }
    if (!outcome_.unfinished.empty())
      outcome_.unfinished += "; --timeout gives it longer, --sample less to do";
  }

  bool is_late() const { return Clock::now() >= task_.server.deadline; }

  // The metastore that the server started with.
  std::string served_metastore() const {
    return read_whole_file(snapshot::meta_db_path(place_.meta()), snapshot::kMetastoreBytesMax);
  }

  void compare() {
    const std::string meta_db = served_metastore();
    const auto metastore =
        snapshot::Metastore::parse(as_bytes(meta_db), snapshot::kStoredMetaLabel);
    snapshot::QueryServer past;
    past.url = fmt::format("http://{}", task_.server.settings.http.text());
    past.timeout = task_.timeout;
    snapshot::QueryClient client(past, limit_.token());
    const auto stored = count_stored(metastore, client);
    const snapshot::RehearsalRequest asked{metastore,
                                           stored,
                                           part().filter,
                                           task_.sample > 0,
                                           task_.server.influxd.minor >= kFirstWithExactSeries,
                                           !part().tsi1};
    outcome_.rehearsal = snapshot::rehearse(client, asked);
    if (live_) compare_with_live(client, asked);
  }

  // That it cannot be had says nothing of the snapshot.
  void compare_with_live(snapshot::QueryClient& client, const snapshot::RehearsalRequest& asked) {
    try {
      outcome_.live = snapshot::compare_with_live(client, *live_, asked, outcome_.snapshot->time);
      if (outcome_.live->shards == 0)
        outcome_.live_failure =
            "it has no shard of the snapshot whose time was over when that was taken";
    } catch (const ProtocolError& error) {
      outcome_.live_failure = error.what();
    } catch (const Cancelled&) {
      if (user_stop_.stop_requested()) throw;
      outcome_.live_failure = "there was no time left for it; --timeout gives it longer";
    }
  }

  // What the shards that the server has hold. One that its metastore does not know cannot be asked.
  snapshot::StoredPoints count_stored(const snapshot::Metastore& metastore,
                                      snapshot::QueryClient& client) {
    index::ObjectReader& objects = repository_.objects();
    auto data = snapshot::stored_shards(objects, *outcome_.snapshot, part().filter);
    auto wal = snapshot::stored_wal(objects, *outcome_.snapshot, part().filter);
    for (auto* shards : {&data, &wal})
      std::erase_if(*shards, [&](const snapshot::StoredShard& shard) {
        if (metastore.has_shard(shard.path)) return false;
        if (shards == &data && !metastore.find_shard(shard.path.shard))
          outcome_.problems.push_back(
              {snapshot::Problem::Severity::kIncomplete, shard.path.text(),
               "is in no shard group of the metastore: its points are not answered"});
        return true;
      });
    snapshot::PointCounting counting;
    counting.group_times = group_times_of(metastore);
    if (task_.sample > 0) counting.wanted = sample(client);
    auto stored = snapshot::count_points(objects, data, wal, counting, limit_.token());
    outcome_.problems.insert(outcome_.problems.end(), stored.problems.begin(),
                             stored.problems.end());
    return stored;
  }

  // Of each database, so many measurements; others than the last time.
  snapshot::MeasurementFilter sample(snapshot::QueryClient& client) const {
    std::set<std::pair<std::string, std::string>> chosen;
    std::mt19937_64 random{std::random_device{}()};
    for (const std::string& database : client.query("SHOW DATABASES")) {
      const auto names =
          client.query("SHOW MEASUREMENTS ON " + snapshot::influxql_identifier(database));
      std::vector<std::string> some;
      std::ranges::sample(names, std::back_inserter(some),
                          static_cast<std::ptrdiff_t>(task_.sample), random);
      for (const std::string& name : some) chosen.emplace(database, name);
    }
    return [chosen](const snapshot::ShardPath& shard, const std::string& measurement) {
      return chosen.contains({shard.database.text(), measurement});
    };
  }

  void record() {
    std::set<index::SnapshotId> kept;
    for (const auto& one : catalog_.refresh()->snapshots) kept.insert(one->id);
    try {
      snapshot::note_rehearsal(
          repository_.local(), outcome_.snapshot->id,
          {now(), outcome_.verdict(), outcome_.influxd, outcome_.extent, outcome_.rehearsal.points},
          kept);
    } catch (const Error& error) {
      outcome_.warnings.push_back(fmt::format("the rehearsal is not on record: {}", error.what()));
    }
  }

  index::Repository& repository_;
  snapshot::Catalog& catalog_;
  const ServedPlace& place_;
  RehearsalTask task_;
  const std::stop_token user_stop_;
  const Clock::time_point start_;
  TimeLimit limit_;
  std::optional<snapshot::QueryClient> live_;
  RehearsalOutcome outcome_;
};

}  // namespace

snapshot::Verdict RehearsalOutcome::verdict() const {
  if (!failure.empty() || !problems.empty() || !rehearsal.differences.empty())
    return snapshot::Verdict::kUnsound;
  return complete ? snapshot::Verdict::kSound : snapshot::Verdict::kIncomplete;
}

RehearsalOutcome run_rehearsal(index::Repository& repository, snapshot::Catalog& catalog,
                               const ServedPlace& place, RehearsalTask task,
                               const std::stop_token& stop) {
  return RehearsalRun(repository, catalog, place, std::move(task), stop).run();
}

}  // namespace tsmfs::cli
