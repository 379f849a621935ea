#include "fs/open_file.h"

#include <fmt/format.h>

#include <cstring>

#include "index/base/error.h"

namespace tsmfs::fs {

std::span<const iovec> ReadBytes::collect(const index::FileReader& reader, uint64_t offset,
                                          size_t length) {
  slices_.clear();
  pieces_.clear();
  reader.read(offset, length, slices_);
  if (slices_.size() > kPiecesMax) {
    gather();
    return pieces_;
  }
  for (const index::Slice& slice : slices_) {
    pieces_.push_back({const_cast<std::byte*>(slice.bytes.data()), slice.bytes.size()});
  }
  return pieces_;
}

void ReadBytes::gather() {
  size_t total = 0;
  for (const index::Slice& slice : slices_) total += slice.bytes.size();
  if (gathered_.size() < total) gathered_ = RawBuffer(total);
  std::byte* to = gathered_.data();
  for (const index::Slice& slice : slices_) {
    std::memcpy(to, slice.bytes.data(), slice.bytes.size());
    to += slice.bytes.size();
  }
  slices_.clear();
  pieces_.push_back({gathered_.data(), total});
}

OpenFile::OpenFile(index::ObjectReader& objects, const FileContent& content, ReadAhead& ahead)
    : reader_(objects.open_file(content.id)), streams_(ahead) {
  if (reader_.size() != content.size)
    throw CorruptError(fmt::format("file {} has {} bytes, where its directory names {}",
                                   content.id.hex(), reader_.size(), content.size));
}

std::span<const iovec> OpenFile::read(uint64_t offset, size_t length, ReadBytes& bytes) {
  streams_.note(reader_, offset, length);
  return bytes.collect(reader_, offset, length);
}

}  // namespace tsmfs::fs
