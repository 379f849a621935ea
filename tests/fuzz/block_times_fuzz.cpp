// The times of a TSM file's blocks, and a key's points over all of its blocks: read_block_times,
// KeyPoints.
//
// The CRCs of the blocks are put right, but for one that begins with 0xff: else hardly any changed
// block would be decoded.
#include <algorithm>
#include <functional>
#include <set>
#include <vector>

#include "index/tsm/tsm_index.h"
#include "index/tsm/tsm_layout.h"
#include "snapshot/points/block_times.h"
#include "snapshot/points/key_points.h"
#include "tests/fuzz/fuzz_target.h"

namespace tsmfs::fuzz {
namespace {

// As PointFile has it, so that no block is read more than once.
constexpr size_t kBlocksMax = 100;

void put_crcs_right(const index::TsmIndexCursor& cursor, uint64_t index_offset, ByteBuffer& file) {
  for (const index::TsmBlockEntry& block : cursor.blocks()) {
    if (block.offset > index_offset || block.length > index_offset - block.offset ||
        block.length <= index::kTsmCrcBytes)
      continue;
    const MutableByteView bytes = MutableByteView(file).subspan(block.offset, block.length);
    if (bytes[0] != std::byte{0xff})
      store_be(bytes.data(), index::update_tsm_crc(0, bytes.subspan(index::kTsmCrcBytes)));
  }
}

void count_key(index::ByteSource& source, uint64_t index_offset,
               const index::TsmIndexCursor& cursor) {
  std::set<int64_t> expected;
  bool sound = true;
  const snapshot::ReadKeyBlock read = [&](const snapshot::KeyBlock& block,
                                          std::vector<int64_t>& times) {
    sound &= snapshot::read_block_times(source, index_offset, block.entry, times).empty();
    require(std::ranges::adjacent_find(times, std::greater_equal()) == times.end(),
            "times in order, each once");
    expected.insert(times.begin(), times.end());
  };
  snapshot::KeyPoints points(read, [&](const snapshot::KeyBlock&) { sound = false; });
  std::vector<snapshot::KeyBlock> blocks;
  for (const index::TsmBlockEntry& entry : cursor.blocks())
    if (blocks.size() < kBlocksMax) blocks.push_back({entry, 0, {}});
  const snapshot::CountedPoints counted = points.count(blocks, {});
  require(counted.count <= expected.size(), "no more points than times");
  require(!sound || counted.count == expected.size(), "all of the times");
  require(counted.count == 0 || counted.first_ns <= counted.last_ns, "a range in order");
}

}  // namespace
}  // namespace tsmfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  const ByteView input = fuzz::input_bytes(data, size);
  ByteBuffer file(input.begin(), input.end());
  index::MemorySource source(file);
  fuzz::takes<index::TsmFormatError>([&] {
    const uint64_t index_offset = index::read_tsm_index_offset(source);
    index::TsmIndexCursor cursor(source, index_offset, index::kTsmIndexWindowBytesMin);
    while (cursor.next()) {
      fuzz::put_crcs_right(cursor, index_offset, file);
      fuzz::count_key(source, index_offset, cursor);
    }
  });
  return 0;
}
