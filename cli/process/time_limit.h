// A stop that comes by itself when the time is over.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace tsmfs::cli {

class TimeLimit {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  // Also when `stop` is requested.
  TimeLimit(const std::stop_token& stop, Deadline deadline)
      : forward_(stop, [this] { end_.request_stop(); }),
        thread_([this, deadline](const std::stop_token& ended) { wait(ended, deadline); }) {}
  std::stop_token token() const { return end_.get_token(); }

 private:
  void wait(const std::stop_token& ended, Deadline deadline) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any changed;
    changed.wait_until(lock, ended, deadline, [] { return false; });
    if (!ended.stop_requested()) end_.request_stop();
  }

  std::stop_source end_;
  std::stop_callback<std::function<void()>> forward_;
  std::jthread thread_;
};

}  // namespace tsmfs::cli
