// Cuts a file into chunks: a TSM file at its blocks, anything else by content.
//
// Every TSM block is a chunk, since InfluxDB's compactions copy full blocks byte for byte; larger
// chunks lose most of what deduplication gains. Blocks under 256 bytes are joined with their
// neighbours (on a history of 4.8 GB that saves 4 % of the chunks and costs no space). The five
// bytes that begin every TSM file are a literal: as a shared chunk they would make each reader
// fetch one old frame more. The index section, and whatever is not a sound TSM file, is cut by
// content (gear_chunker.h).
//
// Chunks are small, 1.5 KB on average. What makes that cheap: nothing is paid per chunk but its
// digest in a pack's blob table (2 % of the stored size) and, for one in eight, an entry in the
// lookup (0.5 %); compression works on frames; a recipe holds runs, not chunks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/cut/gear_chunker.h"
#include "index/format/byte_source.h"
#include "index/tsm/tsm_layout.h"

namespace tsmfs::index {

// How a file's bytes are cut into chunks.
enum class FileKind { kTsm, kOther };
// By the end of its name.
FileKind kind_of_file(std::string_view name);

constexpr size_t kBatchBytesMax = 1 << 20;

// Consecutive chunks of a file, or one literal.
struct CutBatch {
  ByteView bytes;                 // good until the next call of next()
  std::vector<uint32_t> lengths;  // of the chunks, their sum is bytes.size(); empty for a literal
  bool literal() const { return lengths.empty(); }
};

// Not thread safe. Requires: `source` outlives it.
class FileCutter {
 public:
  // Throws: what `source` throws.
  FileCutter(ByteSource& source, FileKind kind);
  // Up to kBatchBytesMax bytes of whole chunks, or one key of an index, front to back; false at the
  // end.
  bool next(CutBatch& batch);
  // Why the file is not a sound TSM file. Complete when next() has returned false.
  const std::string& tsm_defect() const { return tsm_defect_; }

 private:
  void next_header(CutBatch& batch);
  void next_blocks(CutBatch& batch);
  void next_of_large_block(CutBatch& batch, uint32_t block_length);
  void next_of_index(CutBatch& batch);
  void next_by_content(CutBatch& batch, uint64_t end, const CutParameters& parameters);
  void note_wrong_crc(size_t block);

  ByteSource& source_;
  std::optional<TsmLayout> layout_;
  std::string tsm_defect_;
  uint64_t position_ = 0;
  size_t block_ = 0;               // the next one
  uint64_t large_block_done_ = 0;  // bytes of a large block that were given out
  uint32_t large_block_crc_ = 0;
  uint32_t large_block_expected_ = 0;
};

}  // namespace tsmfs::index
