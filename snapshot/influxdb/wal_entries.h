// The entries of a segment of InfluxDB's write-ahead log, one by one.
//
// Format: InfluxDB 1.x, tsdb/engine/tsm1/wal.go. Entries, each a type byte, a length (4) and that
// many bytes, compressed with snappy. A write (1) holds, for each key, a type byte (1 float, 2
// integer, 3 boolean, 4 string, 5 unsigned), the key's length (2) and the key, a count (4), and as
// often a time (8, nanoseconds) and a value: 8 bytes, 1 for a boolean, a length (4) and the text
// for a string. A delete (2) holds keys with newlines between them; a delete of a time range (3)
// the first and the last time (8 each), and for each key its length (4) and the key. All
// big-endian.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "index/format/byte_source.h"

namespace tsmfs::snapshot {

// influxd's batches have a few MB.
constexpr uint64_t kWalEntryBytesMax = uint64_t{256} << 20;

// What it is given is good until it returns. Keys are those of TSM files, "series#!~#field".
class WalVisitor {
 public:
  virtual ~WalVisitor() = default;
  // Points of a key, at least one, in the order of the entry; `type` as of a TSM block.
  virtual void write(std::string_view key, uint8_t type, std::span<const int64_t> times_ns) = 0;
  // Deletes a key's points between two times, both inclusive: INT64_MIN and INT64_MAX for all. It
  // concerns what is in the log before it, and says nothing of TSM files, which have tombstones.
  virtual void remove(std::string_view /*key*/, int64_t /*first_ns*/, int64_t /*last_ns*/) {}
};

// Gives what each entry holds, in order; of one that cannot be read nothing, and as influxd does,
// nothing behind it is looked at: a server that was killed leaves such an end. Returns the offset
// up to which the segment is sound: its size when all of it is. Memory: an entry, compressed and
// not, and the times of a key. Throws: what `source` and the visitor throw.
uint64_t read_wal_entries(index::ByteSource& source, WalVisitor& visitor);

}  // namespace tsmfs::snapshot
