#include "snapshot/points/deleted_ranges.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/error.h"
#include "snapshot/influxdb/tombstone_entries.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kTidyAtLeast = 1 << 16;
constexpr uint64_t kEntriesBetweenStops = 1 << 12;

// Whether `next` begins within `before`, or right behind it. Requires: in order.
bool continues(const DeletedRange& before, const DeletedRange& next) {
  return before.key == next.key &&
         (before.last_ns == INT64_MAX || next.first_ns <= before.last_ns + 1);
}

[[noreturn]] void refuse(const std::string& object) {
  throw TombstoneError(
      fmt::format("{} deletes more than {} ranges of time, or has more than {} "
                  "GiB: it is not looked at",
                  object, kDeletedRangesMax, kTombstoneContentBytesMax >> 30));
}

}  // namespace

DeletedRanges::DeletedRanges(ByteStream& tombstone, const std::string& object,
                             const index::DigestKey& digests, const std::stop_token& stop) {
  uint64_t seen = 0;
  size_t tidy_at = kTidyAtLeast;
  const auto add = [&](const TombstoneEntry& entry) {
    if (++seen % kEntriesBetweenStops == 0 && stop.stop_requested()) throw Cancelled();
    if (entry.first_ns > entry.last_ns) return true;
    ranges_.push_back({digests.digest<decltype(DeletedRange::key)>(as_bytes(entry.key)),
                       entry.first_ns, entry.last_ns});
    if (ranges_.size() < tidy_at) return true;
    tidy();  // the same key may be there any number of times
    tidy_at = std::max(kTidyAtLeast, 2 * ranges_.size());
    return ranges_.size() <= kDeletedRangesMax;
  };
  if (!read_tombstone_entries(tombstone, object, kTombstoneContentBytesMax, add).whole)
    refuse(object);
  tidy();
  if (ranges_.size() > kDeletedRangesMax) refuse(object);
}

void DeletedRanges::tidy() {
  std::ranges::sort(ranges_);
  size_t kept = 0;
  for (const DeletedRange& range : ranges_) {
    if (kept > 0 && continues(ranges_[kept - 1], range))
      ranges_[kept - 1].last_ns = std::max(ranges_[kept - 1].last_ns, range.last_ns);
    else
      ranges_[kept++] = range;
  }
  ranges_.resize(kept);
}

std::span<const DeletedRange> DeletedRanges::of(std::string_view key,
                                                const index::DigestKey& digests) const {
  if (ranges_.empty()) return {};
  const auto digest = digests.digest<decltype(DeletedRange::key)>(as_bytes(key));
  return {std::ranges::lower_bound(ranges_, digest, {}, &DeletedRange::key),
          std::ranges::upper_bound(ranges_, digest, {}, &DeletedRange::key)};
}

void remove_deleted(std::vector<int64_t>& times_ns, std::span<const DeletedRange> ranges) {
  if (ranges.empty() || times_ns.empty()) return;
  auto range = std::ranges::lower_bound(ranges, times_ns.front(), {}, &DeletedRange::last_ns);
  std::erase_if(times_ns, [&](int64_t time) {
    while (range != ranges.end() && range->last_ns < time) ++range;
    return range != ranges.end() && range->first_ns <= time;
  });
}

}  // namespace tsmfs::snapshot
