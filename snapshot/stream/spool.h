// Holds a stream until it can be looked at anywhere (a TSM file's index is at its end): the first
// bytes in memory, those past a limit in an unnamed temporary file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "index/base/bytes.h"
#include "index/base/file.h"
#include "index/format/byte_source.h"

namespace tsmfs::snapshot {

// Takes memory of at most `memory_bytes_max`, and past that the larger of 1 MiB and the largest
// view. Not thread safe. Throws: IoError (a full disk, for one), after which only clear() makes
// sense.
class Spool : public index::ByteSource {
 public:
  // `directory` is where the temporary file would be.
  Spool(std::filesystem::path directory, size_t memory_bytes_max);
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  void append(ByteView bytes);
  // Memory for the next bytes, at least one and at most `wanted`, to receive into without a copy;
  // commit() says how many have come. Nothing is added before that. Requires: wanted > 0. Ends what
  // view() returned.
  MutableByteView reserve(size_t wanted);
  // Requires: count <= the last reserve()'s, with nothing in between.
  void commit(size_t count);
  // Empties it for the next file, keeping the memory.
  void clear();

  uint64_t size() const override { return size_; }
  // Straight from memory where the bytes are; reads exactly what is asked for otherwise, unless the
  // last view holds it.
  ByteView view(uint64_t offset, size_t length) override;
  // True when a part went to the temporary file.
  bool spilled() const { return size_ > memory_size_; }

 private:
  void flush_tail();
  void make_window(size_t bytes);

  std::filesystem::path directory_;
  size_t memory_bytes_max_;
  RawBuffer memory_;        // allocated on first use; pages that are never touched cost nothing
  size_t memory_size_ = 0;  // bytes [0, memory_size_) of the spool are there
  Fd file_;                 // then [memory_size_, memory_size_ + written_)
  uint64_t written_ = 0;
  RawBuffer window_;  // then the unwritten tail; or, with none, what the last view() read
  size_t tail_size_ = 0;
  uint64_t window_offset_ = 0;
  size_t window_size_ = 0;
  uint64_t size_ = 0;
};

}  // namespace tsmfs::snapshot
