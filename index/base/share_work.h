// Work of many like pieces, shared by several threads: each piece is done once.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

namespace tsmfs {

// What is left to do. Thread safe.
class SharedWork {
 public:
  SharedWork(size_t pieces, std::stop_token stop) : pieces_(pieces), stop_(std::move(stop)) {}
  // A piece that nobody has taken; nothing at the end, and nothing any more after stop().
  std::optional<size_t> take() {
    if (stop_.stop_requested()) return std::nullopt;
    const size_t piece = next_++;
    return piece < pieces_ ? std::optional(piece) : std::nullopt;
  }
  // Requested by the caller of share_work(), or when one of the threads has failed.
  const std::stop_token& stop() const { return stop_; }

 private:
  const size_t pieces_;
  const std::stop_token stop_;
  std::atomic<size_t> next_ = 0;
};

// Calls `worker` on as many threads as there are pieces, at most `threads_max` (0 counts as 1); it
// takes piece after piece until there is none. Throws, when all threads have ended: what the first
// of them threw; Cancelled after a stop; IoError when there are no threads to be had.
void share_work(size_t pieces, unsigned threads_max, const std::stop_token& stop,
                const std::function<void(SharedWork&)>& worker);

}  // namespace tsmfs
