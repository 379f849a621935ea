#include "snapshot/restore/online_restorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "snapshot/influxdb/deleted_series.h"
#include "snapshot/influxdb/metastore_subset.h"
#include "snapshot/influxdb/shard_tar.h"

namespace tsmfs::snapshot {

namespace {

constexpr unsigned kImportTriesMax = 3;

// As the server names its databases and policies; they become directories there.
Name server_name(std::string_view name) {
  if (!is_influxd_name(name))
    throw UsageError(fmt::format("{} cannot be a name on an influxd", quote(name)),
                     "name what is wanted with --database, or another name with --newdb");
  return *Name::parse(name);
}

Name server_name(const std::optional<Name>& wanted, const std::string& stored) {
  return server_name(wanted ? wanted->text() : stored);
}

StoredShard only_tsm(const StoredShard& from) {
  StoredShard shard{from.path, {}, 0};
  for (const TreeEntry& file : from.files) {
    if (!file.name.ends_with(".tsm")) continue;
    shard.files.push_back(file);
    shard.bytes += file.size;
  }
  return shard;
}

}  // namespace

OnlineRestorer::OnlineRestorer(index::Repository& repository, SnapshotPtr snapshot,
                               const InfluxdClient& client, const InfluxdUpload& upload,
                               OnlineOptions options, std::stop_token stop)
    : repository_(repository),
      snapshot_(std::move(snapshot)),
      client_(client),
      upload_(upload),
      options_(std::move(options)),
      stop_(std::move(stop)) {}

OnlinePlan OnlineRestorer::plan() {
  OnlinePlan plan;
  const ByteBuffer meta_db = stored_metastore(repository_, *snapshot_);
  const Metastore metastore = Metastore::parse(meta_db, kStoredMetaLabel);
  const auto shards = choose(metastore, plan);
  const bool part = !options_.filter.policy.empty() || options_.filter.shard;
  for (const MetaDatabase& database : metastore.databases()) {
    if (!options_.filter.takes_database(database.name)) continue;
    if (database.name == kInternalDatabase && options_.filter.databases.empty()) continue;
    OnlineDatabase made = make_database(meta_db, database, shards);
    if (part && made.shards.empty()) continue;
    note_retention(metastore, made, plan);
    plan.databases.push_back(std::move(made));
  }
  if (plan.databases.empty())
    throw UsageError(fmt::format("snapshot {} holds nothing of {}", snapshot_->short_id(),
                                 options_.filter.text()),
                     "tsmfs snapshots lists the databases");
  if (options_.new_database && plan.databases.size() != 1)
    throw UsageError(fmt::format("{} databases cannot all be called {}", plan.databases.size(),
                                 quote(*options_.new_database)),
                     "name one with --database");
  for (const OnlineDatabase& database : plan.databases) {
    plan.shards += database.shards.size();
    for (const StoredShard& shard : database.shards) {
      plan.files += shard.files.size();
      plan.bytes += shard.bytes;
    }
  }
  const auto answer = client_.fetch_metastore();
  const std::string server = client_.endpoint().text();
  const Metastore there = Metastore::parse(answer.meta_db, server);
  check_names(plan, there);
  for (const MetaDatabase& database : there.databases())
    plan.server_databases.insert(database.name);
  find_missing_settings(meta_db, read_settings(answer.meta_db, server), plan);
  check_deletes(shards, plan);
  note_wal(plan);
  return plan;
}

void OnlineRestorer::note_wal(OnlinePlan& plan) const {
  Filter restored = options_.filter;
  restored.databases.clear();
  for (const OnlineDatabase& database : plan.databases)
    restored.databases.push_back(database.names.database);
  const std::string wal = describe_wal(repository_.objects(), *snapshot_, restored);
  if (wal.empty()) return;
  plan.lacks_wal = true;
  plan.notes.push_back(wal + ", does not come this way: restore --datadir --waldir brings it");
}

// The shards that the server will be able to query.
std::vector<StoredShard> OnlineRestorer::choose(const Metastore& metastore,
                                                OnlinePlan& plan) const {
  std::vector<StoredShard> chosen;
  for (StoredShard& shard : stored_shards(repository_.objects(), *snapshot_, options_.filter)) {
    if (shard.path.database == kInternalDatabase && options_.filter.databases.empty()) continue;
    if (metastore.has_shard(shard.path)) {
      chosen.push_back(std::move(shard));
    } else {
      const auto place = metastore.find_shard(shard.path.shard);
      plan.notes.push_back(fmt::format("{} is left out: {}", shard.path.text(),
                                       place && place->group->deleted
                                           ? "the server's retention had taken it"
                                           : "the metastore does not know it"));
    }
  }
  return chosen;
}

OnlineDatabase OnlineRestorer::make_database(ByteView meta_db, const MetaDatabase& database,
                                             const std::vector<StoredShard>& shards) const {
  OnlineDatabase made{
      {database.name, server_name(options_.new_database, database.name), {}, {}}, {}, {}};
  std::set<uint64_t> numbers;
  for (const StoredShard& shard : shards) {
    if (shard.path.database != database.name) continue;
    numbers.insert(shard.path.shard);
    made.shards.push_back(only_tsm(shard));
  }
  Filter one = options_.filter;
  one.databases = {database.name};
  // A copy under another name must not send what is written to it where the original sends its own.
  const bool copy = options_.new_database || options_.new_policy;
  made.meta_db = metastore_subset(
      meta_db, one, numbers, kStoredMetaLabel,
      copy && !options_.with_subscriptions ? Subscriptions::kDrop : Subscriptions::kKeep);
  const Metastore left = Metastore::parse(made.meta_db, kStoredMetaLabel);
  const MetaDatabase* kept = left.find_database(database.name);
  if (kept == nullptr) return made;
  if (!options_.new_policy) {
    for (const MetaPolicy& policy : kept->policies) server_name(policy.name);
    return made;
  }
  if (kept->policies.size() != 1)
    throw UsageError(
        fmt::format("database {} has {} policies, which cannot all be called {}",
                    quote(database.name), kept->policies.size(), quote(*options_.new_policy)),
        "name one with --retention");
  made.names.policy = kept->policies[0].name;
  made.names.new_policy = server_name(*options_.new_policy);
  return made;
}

void OnlineRestorer::note_retention(const Metastore& metastore, const OnlineDatabase& database,
                                    OnlinePlan& plan) const {
  const Timestamp today = now();
  size_t expired = 0;
  for (const StoredShard& shard : database.shards) {
    const auto place = metastore.find_shard(shard.path.shard);
    if (place && place->policy->duration_ns > 0 &&
        place->group->end.unix_ns < today.unix_ns - place->policy->duration_ns)
      ++expired;
  }
  if (expired > 0)
    plan.notes.push_back(fmt::format(
        "{} shards of {} are older than their retention policy keeps them: the server will delete "
        "them again within half an hour, unless the policy is altered",
        expired, quote(database.names.new_database)));
}

MetaChoice OnlineRestorer::choice() const {
  MetaChoice choice;
  choice.filter = options_.filter;
  choice.new_database = options_.new_database;
  choice.new_policy = options_.new_policy;
  return choice;
}

// The server makes policies, with their subscriptions, and nothing else.
void OnlineRestorer::find_missing_settings(ByteView meta_db, const ServerSettings& there,
                                           OnlinePlan& plan) const {
  plan.missing = find_missing(read_settings(meta_db, kStoredMetaLabel), choice(), there);
  const bool copy = options_.new_database || options_.new_policy;
  if (!copy || options_.with_subscriptions) plan.missing.subscriptions.clear();
}

void OnlineRestorer::check_names(const OnlinePlan& plan, const Metastore& there) const {
  for (const OnlineDatabase& database : plan.databases) {
    const Name& name = database.names.new_database;
    if (there.find_database(name) != nullptr)
      throw UsageError(
          fmt::format("{} has a database {} already, and takes only new ones",
                      client_.endpoint().text(), quote(name)),
          "restore it under another name (--database DB --newdb NAME) and copy with SELECT * INTO "
          "... GROUP BY *, or stop the server and restore without --online");
  }
}

void OnlineRestorer::check_deletes(const std::vector<StoredShard>& shards, OnlinePlan& plan) const {
  std::string note = allow_resurrection(find_deleted_points(repository_.objects(), shards),
                                        options_.resurrect_deleted, "a running influxd",
                                        "restore into the directories of a stopped server instead");
  if (!note.empty()) plan.notes.push_back(std::move(note));
}

void OnlineRestorer::run(const OnlinePlan& plan, OnlineReport& report) {
  for (const OnlineDatabase& database : plan.databases) {
    const ShardNumbers numbers = import(database);
    for (const StoredShard& shard : database.shards) {
      if (stop_.stop_requested()) throw Cancelled();
      const ImportNames& names = database.names;
      const ShardPath to{names.new_database, names.new_policy.value_or(shard.path.policy),
                         numbers.at(shard.path.shard)};
      try {
        upload_shard(shard, to);
      } catch (const Cancelled&) {
        throw;
      } catch (const CorruptError& error) {
        report.failed.push_back({shard.path, error.what(), true});
        continue;
      } catch (const Error& error) {
        report.failed.push_back({shard.path, error.what(), false});
        continue;
      }
      report.whole.push_back(to);
      report.bytes += shard.bytes;
      if (options_.on_shard)
        options_.on_shard({shard.path, to, shard.files.size(), shard.bytes,
                           report.whole.size() + report.failed.size(), plan.shards});
    }
  }
}

ShardNumbers OnlineRestorer::import(const OnlineDatabase& database) const {
  const Name& name = database.names.new_database;
  const std::string server = upload_.endpoint().text();
  std::set<uint64_t> wanted;
  for (const StoredShard& shard : database.shards) wanted.insert(shard.path.shard);
  for (unsigned i = 0; i < kImportTriesMax; ++i) {
    ShardNumbers numbers = upload_.import_metastore(database.meta_db, database.names, wanted);
    if (!numbers.empty() && numbers.size() != wanted.size())
      throw ProtocolError(fmt::format("{} made {} shards of {} of database {}", server,
                                      numbers.size(), wanted.size(), quote(name)),
                          "the server's log may say why; drop the database before another try");
    if (!numbers.empty()) return numbers;
    const Metastore there =
        Metastore::parse(client_.fetch_metastore().meta_db, client_.endpoint().text());
    if (there.find_database(name) != nullptr) {
      if (wanted.empty()) return {};
      throw ProtocolError(
          fmt::format("{} has a database {} already, made by somebody else just now", server,
                      quote(name)),
          "choose another name with --newdb");
    }
    // The server reads the metastore with a single read: one that came in pieces is refused. The
    // next one may come whole.
  }
  throw ProtocolError(
      fmt::format("{} did not take the metastore of database {} ({} bytes, {} shards)", server,
                  quote(name), database.meta_db.size(), wanted.size()),
      "the server's log says why; a large metastore needs tsmfs on the server's own machine, or a "
      "restore policy by policy (--retention), or one without --online");
}

void OnlineRestorer::upload_shard(const StoredShard& shard, const ShardPath& to) const {
  upload_.upload_shard(
      to.shard, [&](ByteSink& sink) { write_shard_tar(repository_, shard, to, {}, sink, stop_); });
}

}  // namespace tsmfs::snapshot
