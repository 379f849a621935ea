// The times of one block of a TSM file, its CRC checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "index/format/byte_source.h"
#include "index/tsm/tsm_index.h"

namespace tsmfs::snapshot {

// Puts the block's times, in order and each once, into `times_ns`, whose memory it uses again.
// Returns what is wrong with the block, empty when nothing is: of one that cannot be decoded, or
// whose CRC is wrong, there are no times then; of one whose times are not in order, are not those
// that the index says, or are such as InfluxDB has none of, those that it has. `index_offset` is
// where the blocks of the file end. Memory: the beginning of the block in which its times lie, and
// the times: never more than a megabyte. Throws: what `file` throws.
std::string read_block_times(index::ByteSource& file, uint64_t index_offset,
                             const index::TsmBlockEntry& block, std::vector<int64_t>& times_ns);

}  // namespace tsmfs::snapshot
