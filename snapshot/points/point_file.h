// A TSM file of a shard, read key by key: where its blocks are, what its tombstone deletes, and the
// times of its blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "index/format/byte_source.h"
#include "index/format/digest.h"
#include "index/repository/file_reader.h"
#include "index/tsm/tsm_index.h"
#include "snapshot/points/deleted_ranges.h"

namespace tsmfs::snapshot {

// A stored file whose views are copies: while many files are open, none of them keeps a frame.
class CopyingSource : public index::ByteSource {
 public:
  explicit CopyingSource(index::FileReader file) : file_(std::move(file)) {}
  uint64_t size() const override { return file_.size(); }
  ByteView view(uint64_t offset, size_t length) override;

 private:
  index::FileReader file_;
  std::vector<index::Slice> slices_;
  ByteBuffer copy_;
};

// Not thread safe. Memory: a window on its index of 64 KiB, a key's list of blocks, a view of a
// block, and the tombstone's ranges.
class PointFile {
 public:
  // Throws: index::TsmFormatError when it is no TSM file; CorruptError, IoError.
  PointFile(std::string name, const index::FileReader& file);
  PointFile(const PointFile&) = delete;
  PointFile& operator=(const PointFile&) = delete;

  const std::string& name() const { return name_; }
  void set_deleted(DeletedRanges deleted) { deleted_ = std::move(deleted); }

  // As TsmIndexCursor; a block that overlaps one before it in the file is an error, too: the time
  // that reading takes follows the size of the file.
  bool next();
  const std::string& key() const { return cursor_.key(); }
  uint8_t type() const { return cursor_.type(); }
  std::span<const index::TsmBlockEntry> blocks() const { return cursor_.blocks(); }
  std::span<const DeletedRange> deleted(const index::DigestKey& digests) const {
    return deleted_.of(key(), digests);
  }
  // As read_block_times().
  std::string read_times(const index::TsmBlockEntry& block, std::vector<int64_t>& times_ns);

 private:
  std::string name_;
  CopyingSource index_, blocks_;
  uint64_t index_offset_;
  index::TsmIndexCursor cursor_;
  DeletedRanges deleted_;
  uint64_t blocks_end_ = index::kTsmHeaderBytes;  // of those seen
};

}  // namespace tsmfs::snapshot
