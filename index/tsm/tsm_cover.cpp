#include "index/tsm/tsm_cover.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "index/blocks/tsm_timestamps.h"
#include "index/tsm/tsm_index.h"

namespace tsmfs::index {

namespace {

// The times of a key's blocks that overlap [min, max], in order, each once. One block is looked at
// at a time.
class KeyTimes {
 public:
  KeyTimes(ByteSource& source, const std::vector<TsmBlockEntry>& blocks, int64_t min_ns,
           int64_t max_ns)
      : source_(source), blocks_(blocks), min_ns_(min_ns), max_ns_(max_ns) {}
  // False at the end.
  bool next() {
    while (auto time = next_of_blocks()) {
      if (time_ && *time < *time_) throw TsmFormatError{"points that are not in order"};
      if (std::exchange(time_, time) != time) return true;
    }
    return false;
  }
  // Requires: next() was true.
  int64_t time() const { return *time_; }

 private:
  std::optional<int64_t> next_of_blocks() {
    for (;;) {
      if (block_)
        if (const auto time = block_->next()) return time;
      if (number_ == blocks_.size()) return std::nullopt;
      open(blocks_[number_++]);
    }
  }
  void open(const TsmBlockEntry& block) {
    block_.reset();
    if (block.max_time_ns < min_ns_ || block.min_time_ns > max_ns_) return;
    if (block.offset > source_.size() || block.length > source_.size() - block.offset)
      throw TsmFormatError{"a block outside its file"};
    const size_t length = std::min<size_t>(block.length, kTsmTimesBytesMax);
    block_.emplace(source_.view(block.offset, length));
  }

  ByteSource& source_;
  const std::vector<TsmBlockEntry>& blocks_;
  int64_t min_ns_, max_ns_;
  size_t number_ = 0;  // of the next block
  std::optional<TsmTimeCursor> block_;
  std::optional<int64_t> time_;
};

// What has been seen of the older file's points.
struct Seen {
  bool there = false;
  bool missing = false;
};

void compare_key(ByteSource& newer, const TsmIndexCursor& newer_key, ByteSource& older,
                 const TsmIndexCursor& older_key, Seen& seen) {
  int64_t min_ns = INT64_MAX, max_ns = INT64_MIN;
  for (const TsmBlockEntry& block : older_key.blocks()) {
    min_ns = std::min(min_ns, block.min_time_ns);
    max_ns = std::max(max_ns, block.max_time_ns);
  }
  KeyTimes wanted(older, older_key.blocks(), min_ns, max_ns);
  KeyTimes offered(newer, newer_key.blocks(), min_ns, max_ns);
  bool more = offered.next();
  while (!(seen.there && seen.missing) && wanted.next()) {
    while (more && offered.time() < wanted.time()) more = offered.next();
    if (more && offered.time() == wanted.time())
      seen.there = true;
    else
      seen.missing = true;
  }
}

Seen compare_keys(ByteSource& newer, ByteSource& older) {
  TsmIndexCursor newer_key(newer, read_tsm_index_offset(newer)),
      older_key(older, read_tsm_index_offset(older));
  Seen seen;
  bool more = newer_key.next();
  while (!(seen.there && seen.missing) && older_key.next()) {
    while (more && newer_key.key() < older_key.key()) more = newer_key.next();
    if (more && newer_key.key() == older_key.key() && newer_key.type() == older_key.type())
      compare_key(newer, newer_key, older, older_key, seen);
    else
      seen.missing = true;
  }
  return seen;
}

}  // namespace

Cover cover_tsm(ByteSource& newer, ByteSource& older) {
  try {
    const Seen seen = compare_keys(newer, older);
    if (!seen.there) return Cover::kNone;
    return seen.missing ? Cover::kSome : Cover::kAll;
  } catch (const TsmFormatError&) {
    return Cover::kNone;
  }
}

}  // namespace tsmfs::index
