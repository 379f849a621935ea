// What a tombstone deletes of its TSM file: for each key, ranges of time.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "index/format/digest.h"
#include "snapshot/stream/byte_stream.h"

namespace tsmfs::snapshot {

// Of one content, different ones: a tombstone of more is refused.
constexpr size_t kDeletedRangesMax = size_t{1} << 24;
constexpr uint64_t kTombstoneContentBytesMax = uint64_t{4} << 30;

struct DeletedRange {
  index::Id<struct DeletedKeyTag> key;  // digest of "series#!~#field"
  int64_t first_ns = 0;                 // both inclusive
  int64_t last_ns = 0;
  auto operator<=>(const DeletedRange&) const = default;
};

// Immutable once made. Memory: 32 bytes a range, twice that while it is read.
class DeletedRanges {
 public:
  // Deletes nothing.
  DeletedRanges() = default;
  // Throws: TombstoneError (snapshot/influxdb/tombstone_entries.h), naming `object`, when it cannot
  // be read or has too many entries; Cancelled; what `tombstone` throws.
  DeletedRanges(ByteStream& tombstone, const std::string& object, const index::DigestKey& digests,
                const std::stop_token& stop);
  // Those of a key, in order; no two overlap or follow each other. Requires: `digests` is that of
  // the constructor.
  std::span<const DeletedRange> of(std::string_view key, const index::DigestKey& digests) const;

 private:
  void tidy();
  std::vector<DeletedRange> ranges_;  // sorted
};

// Takes out the times that lie in one of the ranges. Requires: both are sorted.
void remove_deleted(std::vector<int64_t>& times_ns, std::span<const DeletedRange> ranges);

}  // namespace tsmfs::snapshot
