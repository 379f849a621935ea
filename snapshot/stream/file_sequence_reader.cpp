#include "snapshot/stream/file_sequence_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "index/base/error.h"

namespace tsmfs::snapshot {

uint64_t FileWindow::bytes() const {
  uint64_t sum = 0;
  for (const index::Slice& slice : slices) sum += slice.bytes.size();
  return sum;
}

// Opened by the first thread that reads of it; gone with its last window.
struct FileSequenceReader::OpenedFile {
  std::once_flag once;
  std::optional<index::FileReader> reader;
};

FileSequenceReader::FileSequenceReader(index::ObjectReader& objects, std::vector<WantedFile> files, unsigned threads)
    : objects_(objects), files_(std::move(files)) {
  for (unsigned i = 0; i < threads; ++i) threads_.start([this] { read_loop(); });
}

void FileSequenceReader::stop() {
  MutexLock lock(mutex_);
  ending_ = true;
  changed_.notify_all();
}

std::optional<FileWindow> FileSequenceReader::next() {
  MutexLock lock(mutex_);
  while (slots_.empty() ? file_ < files_.size() : !slots_.front().ready) changed_.wait(mutex_);
  if (slots_.empty()) return std::nullopt;
  Slot slot = std::move(slots_.front());
  slots_.pop_front();
  changed_.notify_all();
  if (slot.failure) std::rethrow_exception(slot.failure);
  return std::move(slot.window);
}

void FileSequenceReader::read_loop() {
  while (Slot* slot = claim()) {
    try {
      read(*slot);
    } catch (...) {
      slot->failure = std::current_exception();
    }
    MutexLock lock(mutex_);
    slot->from.reset();
    slot->ready = true;
    changed_.notify_all();
  }
}

// A claimed slot stays where it is until it is ready: a deque moves nothing when its ends change.
FileSequenceReader::Slot* FileSequenceReader::claim() {
  MutexLock lock(mutex_);
  while (!ending_ && file_ < files_.size() && slots_.size() >= kWindowsAheadMax)
    changed_.wait(mutex_);
  if (ending_ || file_ == files_.size()) return nullptr;
  if (offset_ == 0) opened_ = std::make_shared<OpenedFile>();
  Slot& slot = slots_.emplace_back();
  slot.window.file = file_;
  slot.offset = offset_;
  slot.from = opened_;
  offset_ += kWindowBytes;
  if (offset_ >= files_[file_].size) {
    slot.window.last = true;
    ++file_;
    offset_ = 0;
    opened_.reset();
  }
  return &slot;
}

void FileSequenceReader::read(Slot& slot) const {
  const WantedFile& file = files_[slot.window.file];
  std::call_once(slot.from->once, [&] { slot.from->reader.emplace(objects_.open_file(file.id)); });
  const index::FileReader& reader = *slot.from->reader;
  if (reader.size() != file.size)
    throw CorruptError(fmt::format("file {} has {} bytes, where its directory names {}",
                                   file.id.hex(), reader.size(), file.size));
  reader.read(slot.offset, kWindowBytes, slot.window.slices);
}

}  // namespace tsmfs::snapshot
