// The deletions in a .tombstone file of InfluxDB 1.x, one by one: tsdb/engine/tsm1/tombstone.go.
//
// Versions, by their first four bytes: none, lines of text, each a key (1); 0x1502, then for each
// deletion a key's length (4), the key, first and last time (8 each, nanoseconds), all big-endian
// (2); 0x1503, then the same in one gzip member (3); 0x1504, in several (4).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "index/base/error.h"
#include "snapshot/stream/byte_stream.h"

namespace tsmfs::snapshot {

// A tombstone that cannot be read.
class TombstoneError : public CorruptError {
 public:
  using CorruptError::CorruptError;
};

struct TombstoneEntry {
  // As it stands in the file, never empty. influxd writes "series#!~#field", and deletes a key of
  // its TSM file only when all of it is equal. Good until the visitor returns.
  std::string_view key;
  // In nanoseconds, both inclusive; INT64_MIN and INT64_MAX for all of the key.
  int64_t first_ns = INT64_MIN;
  int64_t last_ns = INT64_MAX;
};

// Takes an entry; false when it has seen enough.
using TombstoneVisitor = std::function<bool(const TombstoneEntry&)>;

struct TombstoneReading {
  unsigned version = 0;  // 0 for an empty file
  bool whole = true;     // false when the visitor, or the limit of bytes, ended it
};

// Gives the entries in the order of the file. At most about `content_bytes_max` bytes are read,
// decompressed. Memory: an entry, and what decompressing takes. Throws: TombstoneError, naming
// `object`, when the file is malformed or ends early, after the entries before that; what the
// stream and the visitor throw.
TombstoneReading read_tombstone_entries(ByteStream& file, const std::string& object,
                                        uint64_t content_bytes_max, const TombstoneVisitor& visit);

}  // namespace tsmfs::snapshot
