// What the index section of a TSM file says of the file as a whole.
#pragma once

#include <cstdint>
#include <optional>

#include "index/format/byte_source.h"

namespace tsmfs::index {

struct TsmSummary {
  uint64_t keys = 0;        // series and field
  int64_t min_time_ns = 0;  // of all points
  int64_t max_time_ns = 0;
  bool has_unsigned = false;  // fields of unsigned integers
};

// Nothing for a file that is no sound TSM file, or has no keys. Reads header, footer and index, not
// the blocks. Throws: what `source` throws.
std::optional<TsmSummary> summarize_tsm(ByteSource& source);

}  // namespace tsmfs::index
