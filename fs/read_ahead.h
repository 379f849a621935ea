// Fetches what a reader is about to want into the frame cache, on threads of its own. The kernel
// reads ahead as well, but only 128 KiB for mounts that root has not made.
//
// What the kernel's page cache holds never comes here again: nothing in a snapshot changes. All
// streams together get a quarter of the frame cache, so that a hundred readers do not push each
// other's frames out.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "index/base/mutex.h"
#include "index/base/thread_group.h"
#include "index/repository/file_reader.h"

namespace tsmfs::fs {

// The threads, and how far ahead all streams together may be. Thread safe.
class ReadAhead {
 public:
  static constexpr size_t kPieceBytes = size_t{1} << 20;
  static constexpr size_t kWindowBytesMax = size_t{4} << 20;

  // What is fetched and not yet read takes up to a quarter of `cache_bytes`. Throws: IoError when
  // there are no threads to be had.
  ReadAhead(size_t cache_bytes, unsigned threads);
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // Fetches bytes of the file by and by; does nothing when too much is waiting already. Never
  // throws.
  void fetch(const index::FileReader& file, uint64_t offset, size_t length) noexcept;
  // How far ahead one stream may be now: less, the more there are; 0 when it is not worth it.
  size_t window_bytes() const;
  void add_stream() { ++streams_; }
  void remove_stream() { --streams_; }

 private:
  struct Piece {
    index::FileReader file;
    uint64_t offset = 0;
    size_t length = 0;
  };
  void work();
  // Waits; nothing at the end.
  std::optional<Piece> next();
  void stop();

  const size_t budget_bytes_;
  std::atomic<size_t> streams_ = 0;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Piece> pieces_ TSMFS_GUARDED_BY(mutex_);
  bool ending_ TSMFS_GUARDED_BY(mutex_) = false;
  ThreadGroup threads_{[this] { stop(); }};  // last: they use the rest
};

// The forward reads of one open file, several at a time. Thread safe.
class ForwardStreams {
 public:
  explicit ForwardStreams(ReadAhead& ahead) : ahead_(ahead) {}
  ~ForwardStreams();
  ForwardStreams(const ForwardStreams&) = delete;
  ForwardStreams& operator=(const ForwardStreams&) = delete;

  // Takes note of a read, and has fetched what its stream will want next.
  void note(const index::FileReader& file, uint64_t offset, size_t length);

 private:
  // Reads of one stream arrive out of order: the kernel sends several at a time.
  static constexpr uint64_t kSlackBytes = ReadAhead::kPieceBytes;
  static constexpr int kReadsToTrust = 3;
  struct Stream {
    uint64_t begin = 0, end = 0;  // of what was read of it
    uint64_t fetched_to = 0;
    int reads = 0;
    bool counted = false;  // in ReadAhead
    uint64_t used_at = 0;
  };
  Stream& find(uint64_t offset) TSMFS_REQUIRES(mutex_);

  ReadAhead& ahead_;
  Mutex mutex_;
  uint64_t clock_ TSMFS_GUARDED_BY(mutex_) = 0;
  std::array<Stream, 4> streams_ TSMFS_GUARDED_BY(mutex_);
};

}  // namespace tsmfs::fs
