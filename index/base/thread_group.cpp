#include "index/base/thread_group.h"

#include <system_error>
#include <utility>

#include "index/base/error.h"

namespace tsmfs {

ThreadGroup::~ThreadGroup() {
  tell_to_end_();
  join();
}

void ThreadGroup::start(std::function<void()> work) {
  threads_.reserve(threads_.size() + 1);  // nothing is to throw once the thread runs
  try {
    threads_.emplace_back(std::move(work));
  } catch (const std::system_error& error) {
    throw IoError("cannot start a thread", error.code().value(),
                  "raise the limit of processes or memory (ulimit -a), or ask for fewer --jobs");
  }
}

void ThreadGroup::join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace tsmfs
