#include "index/tsm_cover.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "index/tsm_index.h"
#include "index/tsm_timestamps.h"

namespace tsmfs::index {

namespace {

// The times of a key's blocks that overlap [min, max], in order.
std::vector<int64_t> times_of(ByteSource& source, const std::vector<TsmBlockEntry>& blocks,
                              int64_t min_ns, int64_t max_ns) {
  std::vector<int64_t> times;
  for (const TsmBlockEntry& block : blocks) {
    if (block.max_time_ns < min_ns || block.min_time_ns > max_ns) continue;
    if (block.offset > source.size() || block.length > source.size() - block.offset)
      throw TsmFormatError{"a block outside its file"};
    decode_tsm_timestamps(source.view(block.offset, block.length), times);
  }
  if (!std::is_sorted(times.begin(), times.end())) std::sort(times.begin(), times.end());
  return times;
}

// What has been seen of the older file's points.
struct Seen {
  bool there = false;
  bool missing = false;
};

void compare_key(ByteSource& newer, const TsmIndexCursor& newer_key, ByteSource& older,
                 const TsmIndexCursor& older_key, Seen& seen) {
  const int64_t min_ns = older_key.blocks().front().min_time_ns;
  int64_t max_ns = older_key.blocks().front().max_time_ns;
  for (const TsmBlockEntry& block : older_key.blocks())
    max_ns = std::max(max_ns, block.max_time_ns);
  const auto wanted = times_of(older, older_key.blocks(), min_ns, max_ns);
  const auto offered = times_of(newer, newer_key.blocks(), min_ns, max_ns);
  std::vector<int64_t> shared;
  std::set_intersection(offered.begin(), offered.end(), wanted.begin(), wanted.end(),
                        std::back_inserter(shared));
  seen.there |= !shared.empty();
  seen.missing |= shared.size() < wanted.size();
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
