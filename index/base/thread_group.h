// Threads that work on one thing and end together, also when one of them cannot be started.
#pragma once

#include <functional>
#include <thread>
#include <vector>

namespace tsmfs {

// For one thread. A member of this type comes last in its class, behind all that the threads use:
// whatever throws in the constructor, the threads that run by then are told to end, and awaited.
class ThreadGroup {
 public:
  // `tell_to_end` makes the work of every thread return. It is called by the destructor, once, and
  // must not throw.
  explicit ThreadGroup(std::function<void()> tell_to_end) : tell_to_end_(std::move(tell_to_end)) {}
  // Tells the threads to end and waits until they have.
  ~ThreadGroup();
  ThreadGroup(const ThreadGroup&) = delete;
  ThreadGroup& operator=(const ThreadGroup&) = delete;
  // One more thread. `work` must not throw. Throws: IoError when the system gives none; those that
  // run go on.
  void start(std::function<void()> work);
  // Waits until all have ended by themselves.
  void join();

 private:
  std::function<void()> tell_to_end_;
  std::vector<std::thread> threads_;
};

}  // namespace tsmfs
