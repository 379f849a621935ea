// A mutex that clang's -Wthread-safety understands (the sanitizers preset builds with it).
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define TSMFS_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define TSMFS_THREAD_ANNOTATION(x)
#endif

#define TSMFS_GUARDED_BY(x) TSMFS_THREAD_ANNOTATION(guarded_by(x))
#define TSMFS_REQUIRES(x) TSMFS_THREAD_ANNOTATION(requires_capability(x))

namespace tsmfs {

class TSMFS_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  void lock() TSMFS_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void unlock() TSMFS_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class TSMFS_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) TSMFS_THREAD_ANNOTATION(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex.lock();
  }
  ~MutexLock() TSMFS_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class CondVar {
 public:
  // Requires: `mutex` is held. Callers loop on their condition, so that the analysis sees what is
  // guarded.
  void wait(Mutex& mutex) TSMFS_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace tsmfs
