// Where the blocks of a TSM file lie: a strict reading of its header, index and footer.
//
// Format: InfluxDB 1.x, tsdb/engine/tsm1. Header (magic 0x16D116D1, version 1), blocks
// (CRC-32/IEEE, big-endian, then data), an index of keys in order, each with its blocks, and a
// footer with the index's offset.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "index/format/byte_source.h"
#include "index/tsm/tsm_index.h"

namespace tsmfs::index {

struct TsmLayout {
  std::vector<uint32_t>
      block_lengths;          // CRC and data, in file order; the first begins at kTsmHeaderBytes
  uint64_t index_offset = 0;  // where the last block ends
};

struct TsmDefect {
  std::string what;
};

// Reads header, index and footer, not the blocks. Memory: four bytes a block and a window on the
// index. A file whose blocks do not follow each other from the header to the index is a defect too:
// InfluxDB writes none. Throws: what `source` throws.
std::variant<TsmLayout, TsmDefect> read_tsm_layout(ByteSource& source);

}  // namespace tsmfs::index
