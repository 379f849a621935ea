#include "index/tsm/tsm_layout.h"

#include <fmt/format.h>

namespace tsmfs::index {

namespace {

TsmLayout read_layout(ByteSource& source) {
  TsmLayout layout;
  layout.index_offset = read_tsm_index_offset(source);
  uint64_t expected_offset = kTsmHeaderBytes;
  TsmIndexCursor cursor(source, layout.index_offset);
  while (cursor.next()) {
    for (const TsmBlockEntry& block : cursor.blocks()) {
      if (block.offset != expected_offset || block.length <= kTsmCrcBytes ||
          block.length > layout.index_offset - block.offset)
        throw TsmFormatError{fmt::format("block {} is not where it should be: {} bytes at byte {}",
                                         layout.block_lengths.size(), block.length, block.offset)};
      expected_offset += block.length;
      layout.block_lengths.push_back(block.length);
    }
  }
  if (layout.block_lengths.empty()) throw TsmFormatError{"its index names no blocks"};
  if (expected_offset != layout.index_offset)
    throw TsmFormatError{fmt::format("its last block ends at byte {}, but its index begins at {}",
                                     expected_offset, layout.index_offset)};
  return layout;
}

}  // namespace

std::variant<TsmLayout, TsmDefect> read_tsm_layout(ByteSource& source) {
  try {
    return read_layout(source);
  } catch (TsmFormatError& error) {
    return TsmDefect{std::move(error.what)};
  }
}

}  // namespace tsmfs::index
