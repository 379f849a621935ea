#include <fmt/format.h>
#include <fmt/ostream.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string_view>
#include <utility>

#include "cli/commands/command.h"
#include "cli/commands/past_options.h"
#include "cli/output/format.h"
#include "cli/output/visible_stream.h"
#include "cli/process/private_process.h"
#include "cli/process/reserved_port.h"
#include "cli/serve/past_server.h"
#include "cli/serve/served_place.h"
#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/is_within.h"
#include "index/base/timestamp.h"

namespace tsmfs::cli {

namespace {

constexpr uint16_t kFirstPort = 8087;  // beside influxd's own
constexpr unsigned kPortsTried = 100;
constexpr int kCommandPollMs = 20;

struct ServeCommand {
  PastOptions past;
  std::string http;              // --http; empty: a free port
  std::filesystem::path keep;    // --keep; empty: what is written is thrown away
  std::filesystem::path config;  // --config
  bool auth = false;
  bool json = false;
};

// At the port that was asked for, or at the first free one.
ReservedPort reserve_port(const std::string& wish) {
  if (wish.empty()) {
    for (uint16_t number = kFirstPort; number < kFirstPort + kPortsTried; ++number) {
      if (number == snapshot::kSnapshotPort) continue;  // of an influxd that may be started
      if (auto port = ReservedPort::of(number)) return std::move(*port);
    }
    return ReservedPort::any();
  }
  const auto endpoint = snapshot::parse_endpoint(wish);
  if (wish.find(':') == std::string::npos)
    throw UsageError(fmt::format("--http {} names no port", wish), "give 127.0.0.1:PORT");
  if (endpoint.host != kLoopback && endpoint.host != "localhost")
    throw UsageError(fmt::format("--http {}: the past is served at 127.0.0.1 only", wish),
                     "reach it from elsewhere with ssh -L");
  if (auto port = ReservedPort::of(endpoint.port)) return std::move(*port);
  throw BusyError(fmt::format("port {} of this machine is in use", endpoint.port),
                  "name another one, or none");
}

// What is served in a place that stays: another time it has to be the same.
std::string identity(const index::Repository& repository, const ServedPart& part) {
  return fmt::format("repository {}\nsnapshot {}\n{}\n{}", repository.config().id.hex(),
                     part.snapshot->id.hex(), part.filter.text(), part.copy ? "copied" : "mounted");
}

// The id of the snapshot that a place is of; empty for a new one.
std::string snapshot_of(const ServedPlace& place) {
  constexpr std::string_view kLine = "\nsnapshot ";
  const std::string noted = place.served();
  const size_t at = noted.find(kLine);
  return at == std::string::npos
             ? ""
             : noted.substr(at + kLine.size(), noted.find('\n', at + 1) - at - kLine.size());
}

void note_place(const ServedPlace& place, const std::string& identity) {
  const std::string noted = place.served();
  if (!noted.empty() && noted != identity)
    throw UsageError(
        fmt::format("{} is of another snapshot, or of another part of it", place.root().string()),
        "serve the same again, or keep this one elsewhere");
  if (noted.empty()) place.note_served(identity);
}

// A directory that is not the repository's.
std::filesystem::path outside(const std::filesystem::path& keep,
                              const index::RepositoryLocation& repository) {
  const auto& inside = repository.directory();
  if (inside && is_within(resolved_path(keep).native(), inside->native()))
    throw UsageError(fmt::format("{} is inside the repository", keep.string()),
                     "keep what is written to a server elsewhere");
  return keep;
}

class Serve {
 public:
  Serve(ServeCommand& command, Context& context)
      : command_(command),
        context_(context),
        influxd_(find_influxd(command.past.influxd)),
        http_(reserve_port(command.http)),
        snapshots_(ReservedPort::any()),
        place_(command.keep.empty()
                   ? ServedPlace::temporary()
                   : ServedPlace::kept(outside(command.keep, command.past.repository))) {
    if (const std::string noted = snapshot_of(place_);
        !noted.empty() && command.past.snapshot.empty() && command.past.at.empty())
      command.past.snapshot = noted;
  }

  ExitCode run() {
    context_.out.flush();
    PrivateProcess process(
        {context_.err,
         [this](const std::stop_token& stop, const std::function<void()>& on_ready) {
           return live(stop, on_ready);
         },
         [this] { place_.remove(); }},
        command_.past.copy ? Namespaces::kNone : Namespaces::kPrivate);
    std::optional<int> status;  // of the command
    if (process.wait_ready(context_.stop)) {
      if (context_.words.empty())
        process.wait_ended(context_.stop);
      else
        status = run_command(process);
    }
    const ExitCode code = process.end();
    const bool served = code == ExitCode::kOk || code == ExitCode::kIncomplete;
    if (status && served) return static_cast<ExitCode>(*status);
    return code;
  }

 private:
  // In the inner process.
  ExitCode live(const std::stop_token& stop, const std::function<void()>& on_ready) {
    const PastOptions& past = command_.past;
    enter_place(place_);
    PastServerRequest request = request_for(past, influxd_, http_.number(), snapshots_.number());
    request.settings.auth = command_.auth;
    request.settings.operator_config = command_.config;
    const auto repository = index::Repository::open_reader(
        {.location = past.repository, .cache_bytes = request.cache_bytes});
    snapshot::Catalog catalog(repository->storage());
    ChosenPast chosen = choose_past(past, catalog, *repository, context_);
    request.part = part_for(past, request, chosen.snapshot);
    const bool is_new = place_.is_kept() && place_.served().empty();
    if (place_.is_kept()) note_place(place_, identity(*repository, request.part));
    bool began = false;
    try {
      PastServer server(*repository, catalog, place_, request, stop);
      began = true;
      for (const std::string& warning : server.warnings())
        print_message(context_.err, "warning", warning);
      for (const std::string& problem : server.problems())
        print_message(context_.err, "warning", problem);
      if (!server.problems().empty() && chosen.status == ExitCode::kOk)
        chosen.status = ExitCode::kIncomplete;
      tell(*chosen.snapshot, server, request.part.tsi1);
      require_told();
      context_.err.flush();
      on_ready();
      server.serve(stop);
    } catch (const Cancelled&) {
      if (!stop.stop_requested()) throw;
    } catch (const InfluxdEndedError& error) {
      print_message(context_.err, "", error.what());
      return ExitCode::kServer;
    } catch (const UsageError&) {
      if (is_new && !began) place_.forget_served();  // nothing was written yet
      throw;
    }
    return chosen.status;
  }

  std::string url() const { return fmt::format("http://{}:{}", kLoopback, http_.number()); }

  void tell(const snapshot::Manifest& snapshot, const PastServer& server, bool tsi1) const {
    if (command_.json) {
      nlohmann::json json = {{"http", url()},
                             {"id", snapshot.id.hex()},
                             {"server", snapshot.server},
                             {"time", format_rfc3339_ns(snapshot.time)},
                             {"influxd", influxd_.version}};
      json["seconds"] = server.seconds_to_answer();
      if (place_.is_kept()) json["kept"] = place_.root().string();
      print_json(context_.out, json);
      return;
    }
    if (context_.quiet || !context_.words.empty()) return;
    print_snapshot(context_.out, snapshot);
    if (tsi1)
      fmt::print(context_.out, "with a tsi1 index made anew: {:.1f} s, {} written\n",
                 server.seconds_to_answer(), format_bytes(place_.written_bytes()));
    fmt::print(
        context_.out,
        "served by influxd {} at {}\n"
        "  influx -host {} -port {}\n"
        "  Grafana: a data source InfluxDB with the URL {}\n{}{}"
        "Ctrl-C ends it\n",
        influxd_.version, url(), kLoopback, http_.number(), url(),
        command_.auth ? "" : "it asks for no password: every user of this machine can query it\n",
        place_.is_kept()
            ? fmt::format("what is written to it stays in {}\n", place_.root().string())
            : "what is written to it is thrown away\n");
  }

  // The process above cannot know that what this one printed was lost.
  void require_told() const {
    auto* const out = dynamic_cast<VisibleStream*>(&context_.out);
    const int failure = out == nullptr ? 0 : out->flushed_failure();
    if (failure != 0 && failure != EPIPE) throw IoError("cannot write the output", failure);
  }

  // influx takes its server from no variable.
  std::vector<std::string> words() const {
    std::vector<std::string> words = context_.words;
    if (std::filesystem::path(words.front()).filename() != "influx") return words;
    for (const std::string& word : words)
      for (const char* option : {"-host", "--host", "-port", "--port", "-socket", "--socket"})
        if (word == option || word.starts_with(std::string(option) + "=")) return words;
    words.insert(words.begin() + 1, {"-host", kLoopback, "-port", std::to_string(http_.number())});
    return words;
  }

  // A variable that is there twice would count by the first of them.
  std::vector<std::string> environment() const {
    std::vector<std::string> environment =
        environment_without({"INFLUX_HOST=", "INFLUX_PORT=", "TSMFS_HTTP="});
    environment.push_back(fmt::format("INFLUX_HOST={}", kLoopback));
    environment.push_back(fmt::format("INFLUX_PORT={}", http_.number()));
    environment.push_back(fmt::format("TSMFS_HTTP={}", url()));
    return environment;
  }

  int run_command(PrivateProcess& process) const {
    std::optional<Child> child;
    try {
      child.emplace(Program{words(), environment()});
    } catch (const IoError& error) {
      constexpr int kNotFound = 127, kCannotRun = 126;  // as a shell
      print_message(context_.err, "", error.what());
      return is_absence(error.error_number()) ? kNotFound : kCannotRun;
    }
    while (!child->ended())
      if (process.wait_ended(context_.stop, kCommandPollMs) || context_.stop.stop_requested())
        return child->end().shell_status();
    return child->ended()->shell_status();
  }

  ServeCommand& command_;
  Context& context_;
  const InfluxdProgram influxd_;
  const ReservedPort http_, snapshots_;
  const ServedPlace place_;
};

constexpr const char* kServeFooter =
    "\nNothing is copied: influxd reads the repository through a mount of its own, and\n"
    "writes beside it. Continuous queries, subscriptions, retention and all inputs\n"
    "but HTTP at 127.0.0.1 are off.\n"
    "\n"
    "Behind -- stands a command: it is run, with INFLUX_HOST, INFLUX_PORT and\n"
    "TSMFS_HTTP set; serve ends with it, and with its status.\n"
    "\nExamples:\n"
    "  tsmfs serve --repo /srv/tsmfs --at 2h-ago\n"
    "  tsmfs serve --repo /srv/tsmfs --at 2h-ago -- \\\n"
    "    influx -database telegraf -execute 'SELECT count(*) FROM cpu'";

}  // namespace

void add_serve(CLI::App& app, Context& context) {
  auto command = std::make_shared<ServeCommand>();
  CLI::App* sub = app.add_subcommand("serve", "Start an influxd as of a snapshot, to ask it");
  sub->footer(kServeFooter);
  add_past_options(*sub, command->past);
  sub->add_option("--http", command->http, "Where it answers (8087 or the next free one)")
      ->type_name("HOST:PORT");
  sub->add_option("--keep", command->keep, "What is written to it stays here, for another time")
      ->type_name("DIR");
  sub->add_option("--config", command->config, "An influxdb.conf, of which the limits are taken")
      ->type_name("FILE");
  sub->add_flag("--auth", command->auth, "Users log in with their passwords of then");
  sub->add_flag("--json", command->json, "Say where it answers as JSON");
  sub->callback([command, &context] {
    context.run = [command, &context] {
      check_past_options(command->past);
      if (!command->config.empty()) command->config = absolute_path(command->config);
      return Serve(*command, context).run();
    };
  });
}

}  // namespace tsmfs::cli
