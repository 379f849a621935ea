#include "index/tsm/tsm_summary.h"

#include <algorithm>

#include "index/tsm/tsm_index.h"

namespace tsmfs::index {

std::optional<TsmSummary> summarize_tsm(ByteSource& source) try {
  TsmSummary summary{0, INT64_MAX, INT64_MIN, false};
  TsmIndexCursor cursor(source, read_tsm_index_offset(source));
  for (; cursor.next(); ++summary.keys) {
    summary.has_unsigned |= cursor.type() == kTsmUnsignedType;
    for (const TsmBlockEntry& block : cursor.blocks()) {
      summary.min_time_ns = std::min(summary.min_time_ns, block.min_time_ns);
      summary.max_time_ns = std::max(summary.max_time_ns, block.max_time_ns);
    }
  }
  if (summary.keys == 0) return std::nullopt;
  return summary;
} catch (const TsmFormatError&) {
  return std::nullopt;
}

}  // namespace tsmfs::index
