#include "fs/fuse_session.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "fs/mount_table.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "index/base/log.h"

namespace tsmfs::fs {
namespace {

constexpr auto kWakeInterval = std::chrono::milliseconds(20);

void log_libfuse(enum fuse_log_level level, const char* format, va_list arguments) {
  char text[1024];
  std::vsnprintf(text, sizeof text, format, arguments);
  std::string message(text);
  while (!message.empty() && message.back() == '\n') message.pop_back();
  if (message.empty()) return;
  log::write(level <= FUSE_LOG_ERR ? log::Level::kError : log::Level::kWarning, message);
}

// libfuse's option lists are split at commas.
std::string escaped(const std::string& value) {
  std::string out;
  for (const char c : value) {
    if (c == ',' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

std::string option_list(const MountOptions& options) {
  std::string list =
      "ro,nosuid,nodev,default_permissions,subtype=tsmfs,fsname=" + escaped(options.source);
  if (options.allow_other) list += ",allow_other";
  for (const std::string& flag : options.flags) list += "," + flag;
  return list;
}

// The kernel reads 128 KiB ahead in a FUSE file system unless told otherwise, and only root may
// tell.
void raise_read_ahead(const std::filesystem::path& mountpoint) {
  try {
    const auto mount = find_mount(mountpoint);
    if (!mount || mount->type != kMountType) return;
    const std::filesystem::path setting = "/sys/class/bdi/" + mount->device + "/read_ahead_kb";
    const Fd file = open_file(setting, O_WRONLY);
    write_all(file, as_bytes(std::to_string(kReadAheadBytes >> 10)), setting);
  } catch (const Error& error) {
    log::debug("{}", error.what());  // slower reads, and nothing else
  }
}

// libfuse's loop ends when the session is marked as exited and a signal interrupts its wait. One
// that arrives just before the wait is lost, so it is sent until the loop has ended.
class LoopStopper {
 public:
  LoopStopper(fuse_session* session, std::stop_token stop)
      : session_(session),
        loop_(::pthread_self()),
        stop_(std::move(stop)),
        thread_([this](const std::stop_token& end) { watch(end); }) {}

 private:
  void watch(const std::stop_token& ended) {
    std::mutex mutex;
    std::condition_variable_any changed;
    // Before the lock is taken, since it may call at once.
    const std::stop_callback wake(stop_, [&] {
      const std::lock_guard hold(mutex);
      changed.notify_all();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, ended, [this] { return stop_.stop_requested(); });
    if (ended.stop_requested()) return;
    fuse_session_exit(session_);
    while (!ended.stop_requested()) {
      ::pthread_kill(loop_, SIGUSR1);
      changed.wait_for(lock, ended, kWakeInterval, [] { return false; });
    }
  }

  fuse_session* session_;
  pthread_t loop_;
  std::stop_token stop_;
  std::jthread thread_;
};

void ignore_signal(int) {}

// Makes SIGUSR1 interrupt a wait in this thread and do nothing else.
class WakeSignal {
 public:
  WakeSignal() {
    struct sigaction action {};
    action.sa_handler = ignore_signal;
    ::sigaction(SIGUSR1, &action, &before_);
  }
  ~WakeSignal() { ::sigaction(SIGUSR1, &before_, nullptr); }
  WakeSignal(const WakeSignal&) = delete;
  WakeSignal& operator=(const WakeSignal&) = delete;

 private:
  struct sigaction before_ {};
};

}  // namespace

void FuseSession::DestroySession::operator()(fuse_session* session) const {
  fuse_session_destroy(session);
}

FuseSession::FuseSession(HistoryView& history, index::ObjectReader& objects, ReadAhead& ahead,
                         const MountOptions& options)
    : options_(options), mounted_{history,       objects, ahead, options.uid, options.gid,
                                  options.umask, {},      {},    {}} {
  mounted_.on_first_open = [this] { raise_read_ahead(options_.mountpoint); };
  mount();
}

FuseSession::~FuseSession() {
  fuse_session_unmount(session_.get());
}

void FuseSession::mount() {
  fuse_set_log_func(log_libfuse);
  std::string program = "tsmfs", flag = "-o", list = option_list(options_);
  char* words[] = {program.data(), flag.data(), list.data(), nullptr};
  fuse_args arguments = FUSE_ARGS_INIT(3, words);
  session_.reset(
      fuse_session_new(&arguments, &history_operations(), sizeof(fuse_lowlevel_ops), &mounted_));
  fuse_opt_free_args(&arguments);
  if (session_ == nullptr) throw Error("cannot set up a FUSE session", "the lines above say why");
  if (fuse_session_mount(session_.get(), options_.mountpoint.c_str()) != 0) {
    throw Error("cannot mount at " + options_.mountpoint.string(),
                "the lines above say why; /dev/fuse must be there, and allow_other needs root or "
                "user_allow_other in /etc/fuse.conf");
  }
}

void FuseSession::run(const std::stop_token& stop, std::function<void()> on_ready) {
  std::stop_source end;
  const std::stop_callback forward(stop, [&end] { end.request_stop(); });
  std::exception_ptr failure;  // of on_ready
  mounted_.on_ready = [&] {
    try {
      if (on_ready) on_ready();
    } catch (...) {
      failure = std::current_exception();
      end.request_stop();
    }
  };
  fuse_loop_config* const config = fuse_loop_cfg_create();
  fuse_loop_cfg_set_clone_fd(config, 1);
  fuse_loop_cfg_set_max_threads(config, kThreadsMax);
  fuse_loop_cfg_set_idle_threads(config, kThreadsMax);
  int result = 0;
  {
    const WakeSignal wake;
    const LoopStopper stopper(session_.get(), end.get_token());
    result = fuse_session_loop_mt(session_.get(), config);
  }
  fuse_loop_cfg_destroy(config);
  mounted_.on_ready = {};
  if (failure) std::rethrow_exception(failure);
  if (result < 0)
    throw IoError("the mount at " + options_.mountpoint.string() + " cannot be served", -result);
}

}  // namespace tsmfs::fs
