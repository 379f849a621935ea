#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands/command.h"
#include "cli/process/pipe.h"
#include "cli/process/signals.h"
#include "fs/history_mount.h"
#include "fs/mount_options.h"
#include "fs/mount_point.h"
#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "index/base/log.h"
#include "index/repository/repository.h"
#include "snapshot/model/catalog.h"

namespace tsmfs::cli {

namespace {

constexpr int kPollMs = 100;

struct MountCommand {
  index::RepositoryLocation repository;
  std::filesystem::path mountpoint;
  bool foreground = false;
  std::vector<std::string> options;
  std::string owner;
  std::string cache;
};

// Returns when the mount has ended.
void serve(const fs::MountOptions& options, const std::stop_token& stop,
           std::function<void()> on_ready) {
  const auto repository =
      index::Repository::open_reader({.location = index::RepositoryLocation::parse(options.source),
                                      .cache_bytes = options.cache_bytes});
  snapshot::Catalog catalog(repository->storage());
  fs::HistoryMount(*repository, catalog, options).run(stop, std::move(on_ready));
}

// The life of a mount behind the terminal. What the parent gets over the pipe is the exit status in
// one byte, then messages; then the pipe's end.
class BackgroundMount {
 public:
  explicit BackgroundMount(Fd to_parent) : to_parent_(std::move(to_parent)) {}

  // Ends the process.
  [[noreturn]] void live(const fs::MountOptions& options) {
    ::setsid();
    ExitCode code = ExitCode::kOk;
    std::ostringstream messages;
    {
      SignalWatch signals;
      try {
        serve(options, signals.token(), [this] { leave_terminal(); });
        if (to_parent_) throw Error("the mount ended before it began");
      } catch (...) {
        code = report(std::current_exception(), messages);
      }
    }
    if (to_parent_) {
      tell(code, messages.str());
    } else if (code != ExitCode::kOk) {
      log::error("{}", messages.str());
    }
    ::_exit(static_cast<int>(code));
  }

 private:
  void tell(ExitCode code, const std::string& messages) noexcept try {
    const std::string text = static_cast<char>(code) + messages;
    write_all(to_parent_, as_bytes(text), "the pipe to the parent");
    to_parent_.reset();
  } catch (...) {
    to_parent_.reset();  // the parent is gone; nobody is left to be told
  }

  void leave_terminal() {
    log::use_syslog();
    if (::chdir("/") != 0) log::warning("cannot leave the working directory");
    const Fd null = open_file("/dev/null", O_RDWR);
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
      if (::dup2(null.number(), standard) < 0) throw_errno("cannot leave the terminal");
    tell(ExitCode::kOk, {});
  }

  Fd to_parent_;
};

// Everything the child says until it closes the pipe. On a stop the child is told to end, and its
// last words are awaited.
std::string listen_to(const Fd& from_child, pid_t child, const std::stop_token& stop) {
  std::string said;
  for (bool told = false;;) {
    if (stop.stop_requested() && !told) told = ::kill(child, SIGTERM) == 0;
    pollfd wait{from_child.number(), POLLIN, 0};
    if (::poll(&wait, 1, kPollMs) <= 0) continue;
    char piece[4096];
    const ssize_t got = ::read(from_child.number(), piece, sizeof piece);
    if (got > 0) said.append(piece, static_cast<size_t>(got));
    if (got == 0) return said;
    if (got < 0 && errno != EINTR) throw_errno("cannot read from the mount's process");
  }
}

// Forks before the repository is opened, since RocksDB's threads would not survive it.
ExitCode run_in_background(const fs::MountOptions& options, Context& context) {
  Pipe pipe;
  Fd &from_child = pipe.read, &to_parent = pipe.write;
  context.out.flush();
  context.err.flush();
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw_errno("cannot start the mount's process");
  if (child == 0) {
    from_child.reset();
    BackgroundMount(std::move(to_parent)).live(options);
  }
  to_parent.reset();
  const std::string said = listen_to(from_child, child, context.stop);
  if (said.empty())
    throw Error("the mount's process ended without a word",
                "run tsmfs mount with --foreground to see why");
  const auto code = static_cast<ExitCode>(static_cast<unsigned char>(said.front()));
  context.err << said.substr(1);
  if (code != ExitCode::kOk) ::waitpid(child, nullptr, 0);
  return code;
}

ExitCode run_in_foreground(const fs::MountOptions& options, Context& context) {
  serve(options, context.stop,
        [&options] { log::info("tsmfs: mounted at {}", options.mountpoint.string()); });
  return ExitCode::kOk;
}

ExitCode run_mount(const MountCommand& command, Context& context) {
  require_repository(command.repository);
  index::open_place(command.repository);  // there is one
  fs::MountOptions options = fs::MountOptions::for_caller();
  for (const std::string& words : command.options) fs::apply_mount_words(words, options);
  if (!command.owner.empty()) fs::apply_owner(command.owner, options);
  if (!command.cache.empty()) fs::apply_cache_size(command.cache, options);
  const auto repository = command.repository.resolved();
  options.source = repository.text();
  options.mountpoint =
      fs::check_mountpoint(command.mountpoint, repository.directory(), options.nonempty);
  return command.foreground ? run_in_foreground(options, context)
                            : run_in_background(options, context);
}

constexpr const char* kMountFooter =
    "\nThe mount shows\n"
    "  backups/<time>/   each snapshot as the server's data directory stood;\n"
    "                    backups/latest is the newest whole one\n"
    "  changes/<time>/   only what that snapshot added or replaced\n"
    "  meta/<time>/      the metastore\n"
    "  wal/<time>/       the write-ahead log, of imported snapshots that have one\n"
    "  at/<when>/        the newest whole one that is not later: a date, an RFC 3339\n"
    "                    time, now, 2h-ago, 1w-ago; not listed\n"
    "  hosts/<server>/   the same for one server\n"
    "\nOptions for -o: allow_other, nonempty, uid=USER, gid=GROUP, umask=OCTAL,\n"
    "cache=SIZE, time_format=FORMAT (of snapshots' names, as in strftime(3), UTC),\n"
    "ro, noatime, nodiratime, relatime, noexec; mount(8)'s defaults, auto, noauto,\n"
    "nofail, _netdev, nosuid, nodev and the like are accepted.\n"
    "\nExample:\n"
    "  tsmfs mount --repo /srv/tsmfs -o allow_other --owner influxdb:influxdb /mnt\n"
    "  cp -a /mnt/backups/latest/telegraf/autogen/2 \\\n"
    "    /var/lib/influxdb/data/telegraf/autogen/\n"
    "  tsmfs umount /mnt";

}  // namespace

void add_mount(CLI::App& app, Context& context) {
  auto command = std::make_shared<MountCommand>();
  CLI::App* sub = app.add_subcommand("mount", "Show the history as a read-only file system");
  sub->footer(kMountFooter);
  add_repository_option(*sub, command->repository);
  sub->add_option("mountpoint", command->mountpoint, "An existing directory")
      ->required()
      ->type_name("DIR");
  sub->add_flag("--foreground,-f", command->foreground, "Stay in the foreground; Ctrl-C unmounts");
  sub->add_option("--option,-o", command->options, "Mount options, separated by commas")
      ->type_name("OPT[,OPT...]")
      ->allow_extra_args(false);
  sub->add_option("--owner", command->owner, "Who owns all files: copies made by root keep it")
      ->type_name("USER[:GROUP]");
  sub->add_option("--cache", command->cache, "Memory for decompressed data (64M)")
      ->type_name("SIZE");
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_mount(*command, context); };
  });
}

}  // namespace tsmfs::cli
