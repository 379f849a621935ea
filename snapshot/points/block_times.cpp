#include "snapshot/points/block_times.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/blocks/tsm_timestamps.h"
#include "index/tsm/tsm_layout.h"
#include "snapshot/model/filter.h"
#include "snapshot/points/times_in_order.h"

namespace tsmfs::snapshot {

namespace {

// Of a view: a string block may have many megabytes.
constexpr uint64_t kPieceBytes = 256 << 10;

using index::TsmFormatError;

// The CRC is that of the whole block; what lies behind the times is not kept. Requires: the block
// is longer than its CRC.
ByteBuffer read_times_part(index::ByteSource& file, const index::TsmBlockEntry& block) {
  ByteBuffer begin;
  uint32_t expected = 0, crc = 0;
  for (uint64_t done = 0; done < block.length;) {
    const auto length = static_cast<size_t>(std::min<uint64_t>(kPieceBytes, block.length - done));
    ByteView piece = file.view(block.offset + done, length);
    if (begin.size() < index::kTsmTimesBytesMax)
      append(begin, piece.first(std::min(piece.size(), index::kTsmTimesBytesMax - begin.size())));
    if (done == 0) {
      expected = load_be<uint32_t>(piece.data());
      piece = piece.subspan(index::kTsmCrcBytes);
    }
    crc = index::update_tsm_crc(crc, piece);
    done += length;
  }
  if (crc != expected) throw TsmFormatError{"its CRC is wrong"};
  return begin;
}

}  // namespace

std::string read_block_times(index::ByteSource& file, uint64_t index_offset,
                             const index::TsmBlockEntry& block, std::vector<int64_t>& times_ns) {
  times_ns.clear();
  if (block.offset < index::kTsmHeaderBytes || block.offset > index_offset ||
      block.length <= index::kTsmCrcBytes || block.length > index_offset - block.offset)
    return "it lies outside of the file's blocks";
  try {
    const ByteBuffer begin = read_times_part(file, block);
    index::TsmTimeCursor cursor(begin);
    while (const auto time = cursor.next()) times_ns.push_back(*time);
  } catch (const TsmFormatError& error) {
    times_ns.clear();
    return error.what;
  }
  if (times_ns.empty()) return "it has no points";
  if (!put_in_order(times_ns)) return "its times are not in order, each once";
  if (times_ns.front() != block.min_time_ns || times_ns.back() != block.max_time_ns)
    return "its times are not those that the index says";
  if (times_ns.front() < kInfluxTimeMin.unix_ns || times_ns.back() > kInfluxTimeMax.unix_ns)
    return "it has times that no query asks for";
  return {};
}

}  // namespace tsmfs::snapshot
