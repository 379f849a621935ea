// Files of a backup or of a data directory, read where they lie: front to back, or anywhere through
// a window.
//
// All throw ProtocolError when the file cannot be read or is not a regular file (a link is not
// followed): what fails here is the way in, not the repository.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>

#include "index/base/bytes.h"
#include "index/base/file.h"
#include "index/base/timestamp.h"
#include "index/format/byte_source.h"
#include "index/format/digest.h"
#include "snapshot/stream/byte_stream.h"

namespace tsmfs::snapshot {

// Not thread safe.
class DiskFile {
 public:
  explicit DiskFile(std::filesystem::path path);
  DiskFile(Fd fd, std::filesystem::path path);  // that is open; the path is for messages
  const std::filesystem::path& path() const { return path_; }
  uint64_t size() const { return size_; }  // when it was opened
  Timestamp mtime() const { return mtime_; }
  // Bytes from `offset` on at the front of `out`, at least one; 0 is the end.
  size_t read_at(uint64_t offset, MutableByteView out) const;

 private:
  std::filesystem::path path_;
  Fd fd_;
  uint64_t size_ = 0;
  Timestamp mtime_;
};

// Throws also: Cancelled.
class FileStream : public ByteStream {
 public:
  FileStream(std::filesystem::path path, std::stop_token stop);
  size_t read(MutableByteView out) override;

 private:
  DiskFile file_;
  std::stop_token stop_;
  uint64_t position_ = 0;
};

// Memory: a window of 1 MiB, or the largest view. Throws also: CorruptError when the file has
// shrunk since it was opened.
class FileSource : public index::ByteSource {
 public:
  explicit FileSource(std::filesystem::path path);
  explicit FileSource(DiskFile file);
  const DiskFile& file() const { return file_; }
  uint64_t size() const override { return file_.size(); }
  ByteView view(uint64_t offset, size_t length) override;

 private:
  DiskFile file_;
  RawBuffer window_;
  uint64_t window_offset_ = 0;
  size_t window_size_ = 0;
};

// Throws also: Cancelled, CorruptError as FileSource::view().
index::FileId digest_of(FileSource& source, const index::DigestKey& key,
                        const std::stop_token& stop);

// The whole content. Throws also: ProtocolError when it is more than `bytes_max`.
ByteBuffer read_disk_file(const std::filesystem::path& path, uint64_t bytes_max);

}  // namespace tsmfs::snapshot
