#include "cli/app.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <ostream>
#include <sstream>
#include <utility>

#include "cli/commands/command.h"
#include "cli/empty_values.h"
#include "cli/output/visible_stream.h"
#include "index/base/error.h"
#include "index/base/log.h"
#include "index/base/quote.h"
#include "index/base/visible.h"

namespace tsmfs::cli {

namespace {

constexpr const char* kDescription =
    "tsmfs keeps the backup history of InfluxDB 1.x servers in one deduplicated\n"
    "repository and mounts it: a restore is a copy.";

constexpr const char* kFooter =
    "\nExample:\n"
    "  tsmfs backup --host 127.0.0.1:8088 --repo /srv/tsmfs\n"
    "  tsmfs mount --repo /srv/tsmfs /mnt\n"
    "  cp -a /mnt/backups/latest/telegraf/autogen/2 \\\n"
    "    /var/lib/influxdb/data/telegraf/autogen/\n"
    "\nExit status: 0 done, 1 damage found, 2 usage, 3 done but incomplete,\n"
    "4 failure, 5 server, 10 no repository, 11 locked, 12 mount in use,\n"
    "13 time taken, 130 interrupted.";

constexpr const char* kRunsAnother = "serve";

// Every command has them, so that a script can give them to any.
void add_loudness(CLI::App& app, Context& context) {
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  for (CLI::App* command : commands) add_loudness(*command, context);
  if (!commands.empty()) return;
  app.add_flag("--quiet,-q", context.quiet, "Print problems and the result only");
  app.add_flag("--verbose,-v", context.verbose, "Print also what is usually passed over");
}

log::Level log_level(const Context& context) {
  if (context.verbose) return log::Level::kDebug;
  return context.quiet ? log::Level::kWarning : log::Level::kInfo;
}

void add_commands(CLI::App& app, Context& context) {
  app.description(kDescription);
  app.footer(kFooter);
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("tsmfs ") + TSMFS_VERSION);
  add_backup(app, context);
  add_import(app, context);
  add_snapshots(app, context);
  add_mount(app, context);
  add_umount(app, context);
  add_serve(app, context);
  add_rehearse(app, context);
  add_check(app, context);
  add_copy(app, context);
  add_tag(app, context);
  add_forget(app, context);
  add_prune(app, context);
  add_repair(app, context);
  add_rebuild_index(app, context);
  add_restore(app, context);
  add_export(app, context);
  add_loudness(app, context);
}

// influxd writes its long options with one dash (-host); so may we.
void double_single_dashes(const CLI::App& app, std::vector<std::string>& arguments) {
  const auto known = [&](const std::string& name) {
    const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
    return std::any_of(commands.begin(), commands.end(), [&](const CLI::App* command) {
      return command->get_option_no_throw("--" + name) != nullptr;
    });
  };
  for (std::string& argument : arguments) {
    if (argument == "--") return;
    if (argument.size() < 3 || argument[0] != '-' || argument[1] == '-') continue;
    if (known(argument.substr(1, argument.find('=') - 1))) argument.insert(0, "-");
  }
}

// CLI11 passes over a word that it does not know when --help follows. Throws: UsageError.
void require_known_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  const CLI::App* parent = &app;
  std::string named = app.get_name();
  for (const std::string& word : arguments) {
    const auto commands = parent->get_subcommands([](const CLI::App*) { return true; });
    if (commands.empty() || word.starts_with('-')) return;
    const auto found = std::ranges::find(
        commands, word, [](const CLI::App* command) { return command->get_name(); });
    if (found == commands.end())
      throw UsageError(fmt::format("there is no command {}", quote(word)),
                       fmt::format("{} --help lists them", named));
    parent = *found;
    named += " " + word;
  }
}

// What stands behind "--" of a command that runs another program is that one's, word for word:
// CLI11 would make a list of "[a]" and nothing of "{}".
void cut_words_of_another(std::vector<std::string>& arguments, Context& context) {
  if (arguments.empty() || arguments.front() != kRunsAnother) return;
  const auto behind = std::ranges::find(arguments, "--");
  if (behind == arguments.end()) return;
  context.words.assign(behind + 1, arguments.end());
  if (context.words.empty() || context.words.front().empty())
    throw UsageError("behind -- is no program", "name one, or leave out --");
  arguments.erase(behind, arguments.end());
}

ExitCode parse_and_run(std::vector<std::string> arguments, Context& context) {
  CLI::App app;
  app.name("tsmfs");
  add_commands(app, context);
  cut_words_of_another(arguments, context);
  double_single_dashes(app, arguments);
  split_empty_values(app, arguments);
  require_known_command(app, arguments);
  try {
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // help was asked for
      app.exit(error, context.out, context.err);
      return ExitCode::kOk;
    }
    require_values(app);
    std::ostringstream said;
    app.exit(error, said, said);
    context.err << visible_message(said.view().substr(0, said.view().find_last_not_of('\n') + 1))
                << '\n';
    return ExitCode::kUsage;
  } catch (const UsageError&) {
    require_values(app);  // of an option that looked at its value at once
    throw;
  }
  require_values(app);
  log::set_level(log_level(context));
  return context.run();
}

// What a command said has to arrive, or else the command failed. A reader that has enough, as head
// does, is no failure.
ExitCode ended(ExitCode code, std::ostream& bytes, VisibleStream& out, std::ostream& err) {
  if (bytes.bad()) return code;  // whoever wrote there has said so
  const int failure = out.flushed_failure();
  if (failure == 0 || failure == EPIPE) return code;
  err << "tsmfs: " << IoError("cannot write the output", failure).what() << '\n';
  return code == ExitCode::kOk ? ExitCode::kFailed : code;
}

}  // namespace

ExitCode run(std::vector<std::string> arguments, std::ostream& out, std::ostream& err,
             std::stop_token stop) {
  VisibleStream shown_out(out), shown_err(err);
  Context context{shown_out, shown_err, out, std::move(stop), {}};
  ExitCode code = ExitCode::kOk;
  try {
    code = parse_and_run(std::move(arguments), context);
  } catch (...) {
    code = report(std::current_exception(), shown_err);
  }
  return ended(code, out, shown_out, shown_err);
}

}  // namespace tsmfs::cli
