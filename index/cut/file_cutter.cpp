#include "index/cut/file_cutter.h"

#include <fmt/format.h>

#include <algorithm>

namespace tsmfs::index {

namespace {

// Blocks smaller than this are joined with their neighbours: a chunk's digest and index entry take
// some 60 bytes.
constexpr uint32_t kTsmChunkBytesMin = 256;
constexpr size_t kIndexChunkBytes = size_t{32} << 10;

}  // namespace

FileKind kind_of_file(std::string_view name) {
  return name.ends_with(".tsm") ? FileKind::kTsm : FileKind::kOther;
}

FileCutter::FileCutter(ByteSource& source, FileKind kind) : source_(source) {
  if (kind != FileKind::kTsm) return;
  auto result = read_tsm_layout(source);
  if (auto* layout = std::get_if<TsmLayout>(&result))
    layout_ = std::move(*layout);
  else
    tsm_defect_ = std::get<TsmDefect>(result).what;
}

bool FileCutter::next(CutBatch& batch) {
  batch.lengths.clear();
  batch.bytes = {};
  if (position_ == source_.size()) return false;
  if (!layout_)
    next_by_content(batch, source_.size(), kCutsOfFiles);
  else if (position_ < kTsmHeaderBytes)
    next_header(batch);
  else if (position_ < layout_->index_offset)
    next_blocks(batch);
  else if (position_ < source_.size() - kTsmFooterBytes)
    next_of_index(batch);
  else
    batch.bytes = source_.view(position_, kTsmFooterBytes);  // a literal, as the header
  position_ += batch.bytes.size();
  return true;
}

// The same five bytes begin every TSM file: as a chunk they would make each reader fetch one old
// frame more.
void FileCutter::next_header(CutBatch& batch) {
  batch.bytes = source_.view(0, kTsmHeaderBytes);
}

void FileCutter::next_blocks(CutBatch& batch) {
  const auto& lengths = layout_->block_lengths;
  if (lengths[block_] > kBatchBytesMax) return next_of_large_block(batch, lengths[block_]);
  size_t end = block_, bytes = 0;
  while (end < lengths.size() && bytes + lengths[end] <= kBatchBytesMax) bytes += lengths[end++];
  batch.bytes = source_.view(position_, bytes);
  size_t offset = 0;
  uint32_t open = 0;  // bytes of the chunk that is being joined of small blocks
  for (; block_ < end; ++block_) {
    const uint32_t length = lengths[block_];
    if (!is_sound_tsm_block(batch.bytes.subspan(offset, length))) note_wrong_crc(block_);
    offset += length;
    if (open > 0 && length >= kTsmChunkBytesMin) {
      batch.lengths.push_back(open);
      open = 0;
    }
    open += length;
    if (open >= kTsmChunkBytesMin) {
      batch.lengths.push_back(open);
      open = 0;
    }
  }
  if (open > 0) batch.lengths.push_back(open);
}

void FileCutter::next_of_large_block(CutBatch& batch, uint32_t block_length) {
  const uint64_t block_end = position_ - large_block_done_ + block_length;
  const bool first = large_block_done_ == 0;
  next_by_content(batch, block_end, kCutsOfFiles);
  ByteView data = batch.bytes;
  if (first) {
    large_block_expected_ = load_be<uint32_t>(data.data());
    large_block_crc_ = 0;
    data = data.subspan(kTsmCrcBytes);
  }
  large_block_crc_ = update_tsm_crc(large_block_crc_, data);
  large_block_done_ += batch.bytes.size();
  if (large_block_done_ < block_length) return;
  if (large_block_crc_ != large_block_expected_) note_wrong_crc(block_);
  large_block_done_ = 0;
  ++block_;
}

// Whole keys with their entries, by which a frame knows them (index/codec/tsm_index_codec.h). Their
// offsets make them those of one file, so that it does not matter where the cuts fall.
void FileCutter::next_of_index(CutBatch& batch) {
  const uint64_t left = source_.size() - kTsmFooterBytes - position_;
  ByteView window = source_.view(position_, std::min<uint64_t>(kBatchBytesMax, left));
  if (tsm_index_key_bytes(window) == 0)
    window = source_.view(position_, std::min<uint64_t>(kTsmIndexKeyBytesMax, left));
  size_t done = 0, chunk = 0;
  while (const size_t length = tsm_index_key_bytes(window.subspan(done))) {
    done += length;
    if (done - chunk < kIndexChunkBytes && done < window.size()) continue;
    batch.lengths.push_back(static_cast<uint32_t>(done - chunk));
    chunk = done;
  }
  if (done > chunk) batch.lengths.push_back(static_cast<uint32_t>(done - chunk));
  batch.bytes = window.first(done);
}

void FileCutter::next_by_content(CutBatch& batch, uint64_t end, const CutParameters& parameters) {
  const ByteView window =
      source_.view(position_, std::min<uint64_t>(kBatchBytesMax, end - position_));
  const bool last = position_ + window.size() == end;
  size_t done = 0;
  // Only where bytes_max bytes are in view, or the last of them, does a cut not depend on the
  // window.
  while (done < window.size() && (last || window.size() - done >= parameters.bytes_max)) {
    const size_t length = first_cut(window.subspan(done), parameters);
    batch.lengths.push_back(static_cast<uint32_t>(length));
    done += length;
  }
  batch.bytes = window.first(done);
}

void FileCutter::note_wrong_crc(size_t block) {
  if (tsm_defect_.empty())
    tsm_defect_ =
        fmt::format("the CRC of block {} (of {}) is wrong", block, layout_->block_lengths.size());
}

}  // namespace tsmfs::index
