// Index entries of TSM files, small: keys without what they share with the one before, times,
// lengths and offsets as differences from what those before let expect.
//
//   sections (index/codec/section.h), one after the other:
//     keys     per key: varint bytes shared with the key before, sized rest
//     shapes   per key: u8 type, varint count of entries
//     mins     per entry: svarint, the first time less that of the entry of the same number of the
//              key before, or else less the last time of the entry before, or else less 0
//     spans    per entry: svarint, last less first time, less that of the entry of the same number
//              of the key before, or else of the entry before, or else less 0
//     lengths  per entry: varint
//     offsets  per entry: svarint, less the end of the block of the entry before
//
// Differences are modulo 2^64. Where several pieces follow each other, the key before may be of
// another file.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "index/base/bytes.h"
#include "index/codec/zstd.h"

namespace tsmfs::index {

// What both ways expect of an entry, from those before.
class TsmIndexExpectation {
 public:
  struct Entry {
    uint64_t min = 0, span = 0;
  };
  void begin_key() {
    before_.swap(current_);
    current_.clear();
  }
  uint64_t min() const {
    const size_t number = current_.size();
    if (number < before_.size()) return before_[number].min;
    return number == 0 ? 0 : current_.back().min + current_.back().span;
  }
  uint64_t span() const {
    const size_t number = current_.size();
    if (number < before_.size()) return before_[number].span;
    return number == 0 ? 0 : current_.back().span;
  }
  uint64_t offset() const { return offset_; }
  void add(const Entry& entry, uint64_t offset, uint32_t length) {
    current_.push_back(entry);
    offset_ = offset + length;
  }

 private:
  std::vector<Entry> before_, current_;  // of the key before, of this one
  uint64_t offset_ = 0;
};

// Not thread safe.
class TsmIndexEncoder {
 public:
  // Takes bytes that are whole keys with their entries, one after the other, and nothing else;
  // false, and nothing is taken, for others.
  bool add(ByteView piece);
  bool is_empty() const { return keys_.empty(); }
  // Appends all that was added.
  void encode(ByteBuffer& out, ZstdCompressor& zstd) const;

 private:
  void add_key(ByteView key, ByteView head_and_entries);

  ByteBuffer key_;  // the one before
  TsmIndexExpectation expected_;
  ByteBuffer keys_, shapes_, mins_, spans_, lengths_, offsets_;
};

// Fills `out` with what was added, piece behind piece. Throws: CorruptError, naming `object`, when
// `stored` does not give exactly as many bytes.
void decode_tsm_index(ByteView stored, MutableByteView out, std::string_view object);

}  // namespace tsmfs::index
