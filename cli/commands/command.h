// What each command is made of: a function that adds it to the parser, and the action it leaves in
// the Context.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "cli/process/exit_code.h"
#include "index/base/name.h"
#include "index/repository/repository_place.h"
#include "snapshot/server/endpoint.h"

namespace tsmfs::cli {

// What a command runs with. Tests give it streams of their own.
struct Context {
  std::ostream& out;                    // results, for a person or as JSON
  std::ostream& err;                    // messages
  std::ostream& bytes;                  // a result that is no text: `out` without its filter
  std::stop_token stop;                 // requested by SIGINT and SIGTERM
  std::function<ExitCode()> run;        // set by the command that was named
  std::vector<std::string> words = {};  // behind "--", of a command that runs another program
  bool quiet = false;                   // --quiet: problems and the result only
  bool verbose = false;                 // --verbose: also what is usually passed over
};

void add_backup(CLI::App& app, Context& context);
void add_import(CLI::App& app, Context& context);
void add_snapshots(CLI::App& app, Context& context);
void add_mount(CLI::App& app, Context& context);
void add_umount(CLI::App& app, Context& context);
void add_check(CLI::App& app, Context& context);
void add_prune(CLI::App& app, Context& context);
void add_repair(CLI::App& app, Context& context);
void add_rebuild_index(CLI::App& app, Context& context);
void add_copy(CLI::App& app, Context& context);
void add_forget(CLI::App& app, Context& context);
void add_tag(CLI::App& app, Context& context);
void add_export(CLI::App& app, Context& context);
void add_restore(CLI::App& app, Context& context);
void add_serve(CLI::App& app, Context& context);
void add_rehearse(CLI::App& app, Context& context);

// Adds --repo/-r, which TSMFS_REPOSITORY stands in for.
void add_repository_option(CLI::App& command, index::RepositoryLocation& repository);
// Adds an option of that name for a repository.
CLI::Option* add_location_option(CLI::App& command, const std::string& name,
                                 index::RepositoryLocation& repository, const std::string& what);
// `last_argument` in the place of --repo, as influxd's commands have it; empty leaves --repo.
// Throws: UsageError when both are there and differ.
void take_last_argument(const std::filesystem::path& last_argument,
                        index::RepositoryLocation& repository);
// Whether the environment has `name` with this value: what stands for an option there is no option
// that somebody gave.
bool is_from_environment(const char* name, const std::string& value);
// Adds --tag, which may be repeated.
void add_tag_option(CLI::App& command, std::vector<std::string>& tags);
// Adds --accept-missing, which may be repeated: the number of a shard, or its path.
void add_accept_missing_option(CLI::App& command, std::set<uint64_t>& shards);
// The number of a shard that is named by it or by its path. Throws: UsageError.
uint64_t parse_shard_number(const std::string& text);
// Adds --compression, for index::Compression::parse().
void add_compression_option(CLI::App& command, std::string& compression);
// Adds --lock-wait: how long to wait for another writer.
void add_lock_wait_option(CLI::App& command, std::chrono::seconds& wait);
// The snapshot protocol has neither encryption nor login: says so of a server on another machine,
// with `advice` behind it.
void warn_of_open_connection(const snapshot::Endpoint& endpoint, std::string_view advice,
                             std::ostream& err);
// A name from the command line. Throws: UsageError for what is no UTF-8 or cannot name a
// directory, as a `what`.
Name require_name(const std::string& text, std::string_view what);
// Throws: UsageError when no repository was named.
void require_repository(const index::RepositoryLocation& repository);

}  // namespace tsmfs::cli
