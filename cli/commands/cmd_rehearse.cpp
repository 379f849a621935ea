#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <set>

#include "cli/command.h"
#include "cli/commands/http_password.h"
#include "cli/commands/past_options.h"
#include "cli/output/format.h"
#include "cli/output/rehearsal_report.h"
#include "cli/process/private_process.h"
#include "cli/process/reserved_port.h"
#include "cli/process/time_limit.h"
#include "index/base/error.h"
#include "snapshot/influxdb/influxql.h"
#include "snapshot/model/metastore_limit.h"
#include "snapshot/model/stored_shards.h"
#include "snapshot/rehearse/live_comparison.h"
#include "snapshot/rehearse/rehearsal_record.h"

namespace tsmfs::cli {

namespace {

constexpr const char* kLiveUserVariable = "INFLUX_USERNAME";
constexpr unsigned kFirstWithExactSeries = 5;  // influxd 1.5 counts them

struct RehearseCommand {
  PastOptions past;
  bool all_servers = false;
  std::string compare;  // --compare, an URL or HOST:PORT; empty: none
  std::string user;
  std::filesystem::path password_file;
  size_t sample = 0;  // measurements a database; 0: all
  double timeout_s = 3600;
  bool json = false;
};

// In the inner process: one snapshot.
class Rehearse {
 public:
  Rehearse(const RehearseCommand& command, const InfluxdProgram& influxd, const ServedPlace& place,
           uint16_t http, uint16_t snapshots, Context& context, const std::stop_token& stop)
      : command_(command),
        influxd_(influxd),
        place_(place),
        context_(context),
        user_stop_(stop),
        deadline_(std::chrono::steady_clock::now() +
                  std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                      std::chrono::duration<double>(command.timeout_s))),
        limit_(stop, deadline_),
        request_(request_for(command.past, influxd, http, snapshots)) {
    request_.deadline = deadline_;
  }

  ExitCode run() {
    const PastOptions& past = command_.past;
    repository_ = index::Repository::open_reader(
        {.location = past.repository, .cache_bytes = request_.cache_bytes});
    catalog_.emplace(repository_->storage());
    const ChosenPast chosen = choose_past(past, *catalog_, *repository_, context_);
    outcome_.snapshot = chosen.snapshot;
    outcome_.influxd = influxd_.version;
    const auto start = std::chrono::steady_clock::now();
    boot_and_compare();
    outcome_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    record();
    if (command_.json)
      print_rehearsal_json(context_.out, outcome_);
    else
      print_rehearsal(context_.out, context_.err, outcome_);
    return outcome_.sound() ? chosen.status : ExitCode::kDamaged;
  }

 private:
  // What keeps the server from answering is a finding, too.
  void boot_and_compare() {
    try {
      if (!command_.past.make_metastore &&
          !snapshot::stored_meta_file(*repository_, *outcome_.snapshot, "meta.db")) {
        outcome_.error =
            "the snapshot has no metastore: no server would know its shards; --make-metastore "
            "derives one";
        return;
      }
      request_.part = part_for(command_.past, request_, outcome_.snapshot);
      PastServer server(*repository_, *catalog_, place_, request_, limit_.token());
      for (const std::string& warning : server.warnings())
        print_message(context_.err, "warning", warning);
      for (const std::string& problem : server.problems())
        outcome_.problems.push_back({snapshot::Problem::Severity::kIncomplete, "", problem});
      compare();
      server.require_sound();
    } catch (const InfluxdEndedError& error) {
      outcome_.error = error.what();
    } catch (const ProtocolError& error) {
      outcome_.error = error.what();
    } catch (const CorruptError& error) {
      outcome_.error = error.what();
    } catch (const Cancelled&) {
      if (user_stop_.stop_requested()) throw;
      outcome_.error = fmt::format(
          "the rehearsal did not end within {} s; --timeout gives it longer, --sample less to do",
          command_.timeout_s);
    }
  }

  // The metastore that the server started with.
  std::string served_metastore() const {
    return read_whole_file(snapshot::meta_db_path(place_.meta()), snapshot::kMetastoreBytesMax);
  }

  void compare() {
    const std::string meta_db = served_metastore();
    const auto metastore =
        snapshot::Metastore::parse(as_bytes(meta_db), snapshot::kStoredMetaLabel);
    snapshot::QueryServer past;
    past.url = fmt::format("http://{}", request_.settings.http.text());
    past.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::duration<double>(command_.timeout_s));
    snapshot::QueryClient client(past, limit_.token());
    const auto stored = count_stored(metastore, client);
    const snapshot::RehearsalRequest asked{metastore, stored, command_.past.filter,
                                           command_.sample > 0,
                                           influxd_.minor >= kFirstWithExactSeries};
    outcome_.rehearsal = snapshot::rehearse(client, asked);
    if (command_.compare.empty()) return;
    snapshot::QueryClient live(live_server(), limit_.token());
    outcome_.live = snapshot::compare_with_live(client, live, asked, outcome_.snapshot->time);
  }

  snapshot::QueryServer live_server() const {
    snapshot::QueryServer server;
    server.url = command_.compare.find("://") == std::string::npos ? "http://" + command_.compare
                                                                   : command_.compare;
    server.user = command_.user;
    if (!server.user.empty()) server.password = read_password(command_.password_file);
    return server;
  }

  // What the shards that the server has hold. One that its metastore does not know cannot be asked.
  snapshot::StoredPoints count_stored(const snapshot::Metastore& metastore,
                                      snapshot::QueryClient& client) {
    index::ObjectReader& objects = repository_->objects();
    const auto& filter = command_.past.filter;
    auto data = snapshot::stored_shards(objects, *outcome_.snapshot, filter);
    auto wal = snapshot::stored_wal(objects, *outcome_.snapshot, filter);
    for (auto* shards : {&data, &wal})
      std::erase_if(*shards, [&](const snapshot::StoredShard& shard) {
        if (metastore.has_shard(shard.path)) return false;
        if (shards == &data && !metastore.find_shard(shard.path.shard))
          outcome_.problems.push_back(
              {snapshot::Problem::Severity::kIncomplete, shard.path.text(),
               "is in no shard group of the metastore: its points are not answered"});
        return true;
      });
    auto stored =
        snapshot::count_points(objects, data, wal, {.wanted = sample(client)}, limit_.token());
    outcome_.problems.insert(outcome_.problems.end(), stored.problems.begin(),
                             stored.problems.end());
    return stored;
  }

  // Of each database, so many measurements; others than the last time.
  snapshot::MeasurementFilter sample(snapshot::QueryClient& client) const {
    if (command_.sample == 0) return {};
    std::set<std::pair<std::string, std::string>> chosen;
    std::mt19937_64 random{std::random_device{}()};
    for (const std::string& database : client.query("SHOW DATABASES")) {
      const auto names =
          client.query("SHOW MEASUREMENTS ON " + snapshot::influxql_identifier(database));
      std::vector<std::string> some;
      std::ranges::sample(names, std::back_inserter(some),
                          static_cast<std::ptrdiff_t>(command_.sample), random);
      for (const std::string& name : some) chosen.emplace(database, name);
    }
    return [chosen](const snapshot::ShardPath& shard, const std::string& measurement) {
      return chosen.contains({shard.database.text(), measurement});
    };
  }

  void record() {
    std::set<index::SnapshotId> kept;
    for (const auto& one : catalog_->refresh()->snapshots) kept.insert(one->id);
    std::string extent = command_.past.filter.text();
    if (command_.sample > 0)
      extent += fmt::format("{}{} measurements of each database", extent.empty() ? "" : ", ",
                            command_.sample);
    try {
      snapshot::note_rehearsal(
          repository_->local(), outcome_.snapshot->id,
          {now(), outcome_.sound(), influxd_.version, extent, outcome_.rehearsal.points}, kept);
    } catch (const IoError& error) {
      print_message(context_.err, "warning",
                    fmt::format("the rehearsal is not on record: {}", error.what()));
    }
  }

  const RehearseCommand& command_;
  const InfluxdProgram& influxd_;
  const ServedPlace& place_;
  Context& context_;
  const std::stop_token user_stop_;
  const std::chrono::steady_clock::time_point deadline_;
  TimeLimit limit_;
  PastServerRequest request_;
  std::unique_ptr<index::Repository> repository_;
  std::optional<snapshot::Catalog> catalog_;
  RehearsalOutcome outcome_;
};

ExitCode rehearse_one(const RehearseCommand& command, const InfluxdProgram& influxd,
                      Context& context) {
  const ReservedPort http = ReservedPort::any(), snapshots = ReservedPort::any();
  const ServedPlace place = ServedPlace::temporary();
  context.out.flush();
  PrivateProcess process({context.err,
                          [&](const std::stop_token& stop, const std::function<void()>&) {
                            enter_place(place);
                            const ExitCode code = Rehearse(command, influxd, place, http.number(),
                                                           snapshots.number(), context, stop)
                                                      .run();
                            context.out.flush();
                            return code;
                          },
                          [&place] { place.remove(); }},
                         command.past.copy ? Namespaces::kNone : Namespaces::kPrivate);
  process.wait_ended(context.stop);
  const ExitCode code = process.end();
  if (context.stop.stop_requested()) throw Cancelled();
  return code;
}

std::set<std::string> servers_of(const std::filesystem::path& repository) {
  const auto storage = index::open_storage(repository);
  snapshot::Catalog catalog(*storage);
  std::set<std::string> servers;
  for (const auto& one : catalog.refresh()->snapshots) servers.insert(one->server);
  return servers;
}

ExitCode run_rehearse(RehearseCommand& command, Context& context) {
  check_past_options(command.past);
  if (command.all_servers && !command.past.server.empty())
    throw UsageError("--all-servers and --server contradict each other", "use one of them");
  if (command.compare.empty() && !command.user.empty() &&
      !is_from_environment(kLiveUserVariable, command.user))
    throw UsageError("--user is for --compare", "name the live server with --compare");
  const InfluxdProgram influxd = find_influxd(command.past.influxd);
  if (!command.all_servers) return rehearse_one(command, influxd, context);
  ExitCode worst = ExitCode::kOk;
  for (const std::string& server : servers_of(command.past.repository)) {
    command.past.server = server;
    const ExitCode code = rehearse_one(command, influxd, context);
    // What is not sound weighs more than what is incomplete.
    if (code != ExitCode::kOk && (worst == ExitCode::kOk || worst == ExitCode::kIncomplete))
      worst = code;
  }
  return worst;
}

constexpr const char* kRehearseFooter =
    "\nIt compares databases, policies, shards, measurements and series, and of each\n"
    "field the number of points and their first and last time, with what the TSM\n"
    "files and the write-ahead log of the snapshot hold. Exit status 0: all agrees.\n"
    "\nExample:\n"
    "  tsmfs rehearse --repo /srv/tsmfs --all-servers";

}  // namespace

void add_rehearse(CLI::App& app, Context& context) {
  auto command = std::make_shared<RehearseCommand>();
  CLI::App* sub = app.add_subcommand("rehearse", "Boot a snapshot, and compare what it answers");
  sub->footer(kRehearseFooter);
  add_past_options(*sub, command->past);
  sub->add_flag("--all-servers", command->all_servers, "The newest snapshot of each server");
  sub->add_option("--sample", command->sample, "So many measurements a database, by chance")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  sub->add_option("--timeout", command->timeout_s, "Seconds for a snapshot")
      ->type_name("S")
      ->check(CLI::Range(1.0, 1e7))
      ->capture_default_str();
  sub->add_option("--compare", command->compare, "Also with a live server, in shards it has")
      ->type_name("HOST:PORT|URL");
  sub->add_option("--user", command->user, "Of the live server")
      ->envname(kLiveUserVariable)
      ->type_name("NAME");
  sub->add_option("--password-file", command->password_file,
                  "First line: password (or $INFLUX_PASSWORD)")
      ->type_name("FILE")
      ->needs("--user");
  sub->add_flag("--json", command->json, "The result as JSON, an object a snapshot");
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_rehearse(*command, context); };
  });
}

}  // namespace tsmfs::cli
