#include "snapshot/points/point_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "snapshot/points/block_times.h"

namespace tsmfs::snapshot {

ByteView CopyingSource::view(uint64_t offset, size_t length) {
  slices_.clear();
  copy_.clear();
  file_.read(offset, length, slices_);
  for (const index::Slice& slice : slices_) append(copy_, slice.bytes);
  slices_.clear();
  return copy_;
}

PointFile::PointFile(std::string name, const index::FileReader& file)
    : name_(std::move(name)),
      index_(file),
      blocks_(file),
      index_offset_(index::read_tsm_index_offset(index_)),
      cursor_(index_, index_offset_, index::kTsmIndexWindowBytesMin) {}

bool PointFile::next() {
  if (!cursor_.next()) return false;
  for (const index::TsmBlockEntry& block : cursor_.blocks()) {
    if (block.offset < blocks_end_)
      throw index::TsmFormatError{
          fmt::format("its index names a block at byte {}, where another one is", block.offset)};
    blocks_end_ = std::max(blocks_end_, block.offset + block.length);
  }
  return true;
}

std::string PointFile::read_times(const index::TsmBlockEntry& block,
                                  std::vector<int64_t>& times_ns) {
  return read_block_times(blocks_, index_offset_, block, times_ns);
}

}  // namespace tsmfs::snapshot
