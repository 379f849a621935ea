// Reads stored files one behind the other, on several threads, ahead of the one who takes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include "index/base/mutex.h"
#include "index/base/thread_group.h"
#include "index/repository/object_reader.h"

namespace tsmfs::snapshot {

struct WantedFile {
  index::FileId id;
  uint64_t size = 0;
};

// A piece of a file, as slices of decompressed frames.
struct FileWindow {
  size_t file = 0;  // into the list of files
  std::vector<index::Slice> slices;
  bool last = false;  // of its file
  uint64_t bytes() const;
};

// next() is for one thread. The destructor waits for reads that are under way. Requires: `objects`
// outlives it.
class FileSequenceReader {
 public:
  static constexpr size_t kWindowBytes = size_t{1} << 20;
  static constexpr size_t kWindowsAheadMax = 16;
  static constexpr unsigned kThreads = 2;  // for one stream of files

  // Throws: IoError when there are no threads to be had.
  FileSequenceReader(index::ObjectReader& objects, std::vector<WantedFile> files, unsigned threads);
  FileSequenceReader(const FileSequenceReader&) = delete;
  FileSequenceReader& operator=(const FileSequenceReader&) = delete;
  // All windows in order, each file having one at least; nothing at the end. Throws: what reading
  // threw, and CorruptError for a file that is not as long as wanted.
  std::optional<FileWindow> next();

 private:
  struct OpenedFile;
  struct Slot {
    FileWindow window;
    uint64_t offset = 0;
    std::shared_ptr<OpenedFile> from;
    bool ready = false;
    std::exception_ptr failure;
  };
  void read_loop();
  Slot* claim();
  void read(Slot& slot) const;
  void stop();

  index::ObjectReader& objects_;
  const std::vector<WantedFile> files_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Slot> slots_ TSMFS_GUARDED_BY(mutex_);  // grows behind, is taken in front
  size_t file_ TSMFS_GUARDED_BY(mutex_) = 0;         // the next window to claim
  uint64_t offset_ TSMFS_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<OpenedFile> opened_ TSMFS_GUARDED_BY(mutex_);
  bool ending_ TSMFS_GUARDED_BY(mutex_) = false;
  ThreadGroup threads_{[this] { stop(); }};  // last: they use the rest
};

}  // namespace tsmfs::snapshot
