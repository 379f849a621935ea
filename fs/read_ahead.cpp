#include "fs/read_ahead.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

namespace tsmfs::fs {

ReadAhead::ReadAhead(size_t cache_bytes, unsigned threads) : budget_bytes_(cache_bytes / 4) {
  for (unsigned i = 0; i < threads; ++i) threads_.start([this] { work(); });
}

void ReadAhead::stop() {
  MutexLock lock(mutex_);
  ending_ = true;
  changed_.notify_all();
}

size_t ReadAhead::window_bytes() const {
  const size_t share = budget_bytes_ / std::max<size_t>(streams_.load(), 1);
  return share < kPieceBytes ? 0 : std::min(share, kWindowBytesMax);
}

void ReadAhead::fetch(const index::FileReader& file, uint64_t offset, size_t length) noexcept try {
  MutexLock lock(mutex_);
  if (pieces_.size() * kPieceBytes >= budget_bytes_) return;
  pieces_.push_back({file, offset, length});
  changed_.notify_one();
} catch (...) {
  // The reader fetches by itself what nobody has fetched ahead.
}

std::optional<ReadAhead::Piece> ReadAhead::next() {
  MutexLock lock(mutex_);
  while (pieces_.empty() && !ending_) changed_.wait(mutex_);
  if (ending_) return std::nullopt;
  Piece piece = std::move(pieces_.front());
  pieces_.pop_front();
  return piece;
}

void ReadAhead::work() {
  std::vector<index::Slice> slices;
  while (const auto piece = next()) {
    try {
      piece->file.read(piece->offset, piece->length, slices);
    } catch (const std::exception&) {
      // Who reads this piece gets the error, and the log gets it then.
    }
    slices.clear();
  }
}

ForwardStreams::~ForwardStreams() {
  MutexLock lock(mutex_);
  for (const Stream& stream : streams_)
    if (stream.counted) ahead_.remove_stream();
}

// The stream that a read at `offset` belongs to, or the one that has waited longest, made new.
ForwardStreams::Stream& ForwardStreams::find(uint64_t offset) {
  for (Stream& stream : streams_)
    if (stream.reads > 0 && offset >= stream.begin && offset <= stream.end + kSlackBytes &&
        offset + kSlackBytes >= stream.end)
      return stream;
  Stream& oldest = *std::ranges::min_element(streams_, {}, &Stream::used_at);
  if (oldest.counted) ahead_.remove_stream();
  oldest = {offset, offset, offset, 0, false, 0};
  return oldest;
}

void ForwardStreams::note(const index::FileReader& file, uint64_t offset, size_t length) {
  MutexLock lock(mutex_);
  Stream& stream = find(offset);
  stream.end = std::max(stream.end, offset + length);
  stream.used_at = ++clock_;
  if (++stream.reads >= kReadsToTrust && !stream.counted) {
    stream.counted = true;
    ahead_.add_stream();
  }
  stream.fetched_to = std::max(stream.fetched_to, stream.end);
  const uint64_t target = std::min(stream.end + ahead_.window_bytes(), file.size());
  const bool trusted = stream.counted;
  for (; trusted && stream.fetched_to < target &&
         (target - stream.fetched_to >= ReadAhead::kPieceBytes || target == file.size());
       stream.fetched_to += ReadAhead::kPieceBytes)
    ahead_.fetch(file, stream.fetched_to, ReadAhead::kPieceBytes);
}

}  // namespace tsmfs::fs
