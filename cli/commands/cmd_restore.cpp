#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands/command.h"
#include "cli/commands/restore_command.h"
#include "index/base/error.h"

namespace tsmfs::cli {

namespace {

constexpr const char* kRestoreDescription = "Restore a snapshot, or a part of it";

constexpr const char* kRestoreFooter =
    "\nInto the directories of a server that has other data it merges: what is\n"
    "there stays, and shard numbers that are taken are replaced.\n"
    "\nExamples:\n"
    "  systemctl stop influxdb\n"
    "  tsmfs restore --metadir /var/lib/influxdb/meta \\\n"
    "      --datadir /var/lib/influxdb/data --database telegraf /srv/tsmfs\n"
    "  systemctl start influxdb\n"
    "\n"
    "  tsmfs restore --online --database telegraf --newdb telegraf_old \\\n"
    "      --snapshot 2026-11-22T03:00:00Z /srv/tsmfs";

constexpr const char* kDirectoriesGroup = "Into directories";
constexpr const char* kUserVariable = "INFLUX_USERNAME";

struct RestoreArguments {
  RestoreCommand command;
  std::filesystem::path last_argument;
  std::string database;
  std::optional<uint64_t> shard;
};

CLI::Option* add_new_name(CLI::App& sub, const std::string& option, const std::string& what,
                          std::optional<Name>& name) {
  return sub.add_option_function<std::string>(
      option, [what, &name](const std::string& text) { name = require_name(text, what); },
      "The " + what + "'s name from now on");
}

void add_choice_options(CLI::App& sub, RestoreArguments& arguments) {
  RestoreCommand& command = arguments.command;
  sub.add_option("--snapshot,-s", command.snapshot, "latest, an id, 2026-11-24, 2h-ago, ...")
      ->type_name("WHICH")
      ->capture_default_str();
  sub.add_option("--server", command.server, "Of this server, if several have snapshots")
      ->type_name("NAME");
  sub.add_option("--database,--db", arguments.database, "This database only")->type_name("DB");
  sub.add_option("--retention,--rp", command.filter.policy, "This retention policy only")
      ->type_name("RP");
  sub.add_option("--shard", arguments.shard, "This shard only")->type_name("ID");
  add_new_name(sub, "--newdb", "database", command.new_database)->type_name("DB");
  add_new_name(sub, "--newrp", "retention policy", command.new_policy)->type_name("RP");
  sub.add_flag("--with-subscriptions", command.with_subscriptions,
               "Keep subscriptions under a new name too");
}

void add_offline_options(CLI::App& sub, RestoreCommand& command) {
  const char* group = kDirectoriesGroup;
  sub.add_option("--metadir", command.metadir, "Where meta.db is written, or merged into")
      ->type_name("DIR")
      ->group(group);
  sub.add_option("--datadir", command.datadir, "Where the shards are written")
      ->type_name("DIR")
      ->group(group);
  sub.add_option("--owner", command.owner, "Whose the files are (as the directory)")
      ->type_name("USER[:GROUP]")
      ->group(group);
  sub.add_option("--waldir", command.waldir, "Where the WAL of an imported snapshot is written")
      ->type_name("DIR")
      ->group(group);
  sub.add_flag("--overwrite", command.overwrite, "Replace shards that are there")
      ->group(group)
      ->needs("--datadir");
  sub.add_flag("--skip-existing", command.skip_existing, "Leave shards that are there as they are")
      ->group(group)
      ->needs("--datadir");
  auto* merge = sub.add_flag("--merge", command.merge, "Add the points to shards that are there")
                    ->group(group)
                    ->needs("--datadir")
                    ->needs("--metadir");
  sub.add_option("--prefer", command.prefer, "Whose points win in a merge: existing, snapshot")
      ->check(CLI::IsMember({"existing", kPreferSnapshot}))
      ->type_name("WHICH")
      ->group(group)
      ->needs(merge);
  sub.add_flag("--make-metastore", command.make_metastore,
               "Derive the metastore from the shards' points")
      ->group(group);
  sub.add_option("--shard-duration", command.shard_duration, "Of it (as the shards fit it)")
      ->type_name("D")
      ->group(group)
      ->needs("--make-metastore");
  sub.add_flag("--with-users", command.with_users,
               "Merge users too, with grants and password hashes")
      ->group(group)
      ->needs("--metadir");
  sub.add_flag("--verify", command.verify, "Read everything back and compare it")->group(group);
}

void add_online_options(CLI::App& sub, RestoreCommand& command) {
  const char* group = "Into a running server";
  auto* online =
      sub.add_flag("--online", command.online, "Restore into the influxd at --host (1.5 on)")
          ->group(group);
  sub.add_option("--host", command.host, "Its snapshot service (bind-address)")
      ->type_name("HOST:PORT")
      ->group(group)
      ->needs(online)
      ->capture_default_str();
  sub.add_option("--timeout", command.timeout_s, "Seconds without a byte before giving up")
      ->type_name("S")
      ->check(CLI::Range(0.1, 86400.0))
      ->group(group)
      ->needs(online)
      ->capture_default_str();
  sub.add_flag("--resurrect-deleted", command.resurrect_deleted,
               "Go on though deleted points come back")
      ->group(group)
      ->needs(online);
  auto* http =
      sub.add_option("--http", command.http_url, "Brings users, grants, continuous queries")
          ->type_name("URL")
          ->group(group)
          ->needs(online);
  sub.add_option("--user", command.http_user, "An administrator, for --http")
      ->envname(kUserVariable)
      ->type_name("NAME")
      ->group(group);
  sub.add_option("--password-file", command.http_password_file,
                 "First line: password (or $INFLUX_PASSWORD)")
      ->type_name("FILE")
      ->group(group)
      ->needs(http)
      ->needs("--user");
  sub.add_option("--http-ca", command.http_ca, "Certificates to trust, for --http")
      ->type_name("FILE")
      ->group(group)
      ->needs(http);
  sub.add_flag("--unsafe-ssl", command.http_unsafe_ssl, "Take any certificate, for --http")
      ->group(group)
      ->needs(http);
}

void refuse_directories(const CLI::App& sub) {
  for (const CLI::Option* option : sub.get_options())
    if (option->get_group() == kDirectoriesGroup && option->count() > 0)
      throw UsageError("--online does not go with " + option->get_name(),
                       "that is for a restore into directories");
}

ExitCode run_restore(const RestoreCommand& command, Context& context) {
  require_repository(command.repository);
  if (command.with_subscriptions && !command.new_database && !command.new_policy)
    throw UsageError("--with-subscriptions goes with --newdb or --newrp",
                     "under their own names subscriptions stay anyway");
  if (command.http_url.empty() && !command.http_user.empty() &&
      !is_from_environment(kUserVariable, command.http_user))
    throw UsageError("--user is for --http", "name the server's HTTP address with --http");
  return command.online ? restore_online(command, context) : restore_offline(command, context);
}

}  // namespace

void add_restore(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<RestoreArguments>();
  RestoreCommand& command = arguments->command;
  CLI::App* sub = app.add_subcommand("restore", kRestoreDescription);
  sub->footer(kRestoreFooter);
  add_repository_option(*sub, command.repository);
  add_choice_options(*sub, *arguments);
  add_offline_options(*sub, command);
  add_online_options(*sub, command);
  sub->add_flag("--dry-run,-n", command.dry_run, "Print what would be done, and do nothing");
  sub->add_option("REPOSITORY", arguments->last_argument,
                  "The repository (as influxd restore takes it)");
  sub->callback([arguments, sub, &context] {
    RestoreCommand& chosen = arguments->command;
    if (chosen.online) refuse_directories(*sub);
    take_last_argument(arguments->last_argument, chosen.repository);
    if (!arguments->database.empty()) chosen.filter.databases = {arguments->database};
    chosen.filter.shard = arguments->shard;
    context.run = [arguments, &context] { return run_restore(arguments->command, context); };
  });
}

}  // namespace tsmfs::cli
