#include "index/base/share_work.h"

#include <algorithm>
#include <exception>

#include "index/base/error.h"
#include "index/base/mutex.h"
#include "index/base/thread_group.h"

namespace tsmfs {

void share_work(size_t pieces, unsigned threads_max, const std::stop_token& stop,
                const std::function<void(SharedWork&)>& worker) {
  std::stop_source end;
  const std::stop_callback forward(stop, [&] { end.request_stop(); });
  SharedWork work(pieces, end.get_token());
  Mutex mutex;
  std::exception_ptr failure;
  const auto guarded = [&] {
    try {
      worker(work);
    } catch (...) {
      const MutexLock lock(mutex);
      // The others are only Cancelled after the first.
      if (!failure) failure = std::current_exception();
      end.request_stop();
    }
  };
  {
    ThreadGroup threads([&] { end.request_stop(); });
    const size_t count = std::min<size_t>(std::max(threads_max, 1u), pieces);
    for (size_t i = 0; i < count; ++i) threads.start(guarded);
    threads.join();
  }
  if (failure) std::rethrow_exception(failure);
  if (stop.stop_requested()) throw Cancelled();
}

}  // namespace tsmfs
