#include "snapshot/stream/disk_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "index/base/error.h"
#include "index/base/file_time.h"
#include "index/base/quote.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kFileWindowBytes = size_t{1} << 20;

[[noreturn]] void fail(const std::filesystem::path& path, int error_number) {
  throw ProtocolError(fmt::format("{} cannot be read: {}", quote(path.string()),
                                  std::generic_category().message(error_number)));
}

// A named pipe must not block, nor a link lead elsewhere.
Fd open_disk_file(const std::filesystem::path& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) fail(path, errno);
  return fd;
}

}  // namespace

DiskFile::DiskFile(std::filesystem::path path) : DiskFile(open_disk_file(path), path) {}

DiskFile::DiskFile(Fd fd, std::filesystem::path path) : path_(std::move(path)), fd_(std::move(fd)) {
  struct stat status {};
  if (::fstat(fd_.number(), &status) != 0) fail(path_, errno);
  if (!S_ISREG(status.st_mode))
    throw ProtocolError(quote(path_.string()) + " is not a regular file");
  size_ = static_cast<uint64_t>(status.st_size);
  mtime_ = from_timespec(status.st_mtim);
}

size_t DiskFile::read_at(uint64_t offset, MutableByteView out) const {
  for (;;) {
    const ssize_t count = ::pread(fd_.number(), out.data(), out.size(), static_cast<off_t>(offset));
    if (count >= 0) return static_cast<size_t>(count);
    if (errno != EINTR) fail(path_, errno);
  }
}

FileStream::FileStream(std::filesystem::path path, std::stop_token stop)
    : file_(std::move(path)), stop_(std::move(stop)) {}

size_t FileStream::read(MutableByteView out) {
  if (stop_.stop_requested()) throw Cancelled();
  const size_t count = file_.read_at(position_, out);
  position_ += count;
  return count;
}

FileSource::FileSource(std::filesystem::path path) : file_(std::move(path)) {}

FileSource::FileSource(DiskFile file) : file_(std::move(file)) {}

ByteView FileSource::view(uint64_t offset, size_t length) {
  if (offset >= window_offset_ && offset + length <= window_offset_ + window_size_)
    return window_.view().subspan(offset - window_offset_, length);
  window_size_ = 0;
  if (window_.size() < length || window_.size() < kFileWindowBytes) {
    window_ = RawBuffer();  // first, so that there are never two
    window_ = RawBuffer(std::max(length, kFileWindowBytes));
  }
  window_offset_ = offset;
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(window_.size(), size() - offset));
  while (window_size_ < wanted) {
    const size_t count = file_.read_at(offset + window_size_,
                                       window_.span().subspan(window_size_, wanted - window_size_));
    if (count == 0)
      throw CorruptError(
          fmt::format("{} became shorter while it was read", quote(file_.path().string())));
    window_size_ += count;
  }
  return window_.view().first(length);
}

index::FileId digest_of(FileSource& source, const index::DigestKey& key,
                        const std::stop_token& stop) {
  index::DigestStream digest(key);
  for (uint64_t offset = 0; offset < source.size(); offset += kFileWindowBytes) {
    if (stop.stop_requested()) throw Cancelled();
    digest.update(source.view(
        offset, static_cast<size_t>(std::min<uint64_t>(kFileWindowBytes, source.size() - offset))));
  }
  return digest.file_id();
}

ByteBuffer read_disk_file(const std::filesystem::path& path, uint64_t bytes_max) {
  FileSource source(path);
  if (source.size() > bytes_max)
    throw ProtocolError(fmt::format("{} holds {} bytes, more than the {} allowed",
                                    quote(path.string()), source.size(), bytes_max));
  if (source.size() == 0) return {};
  const ByteView content = source.view(0, source.size());
  return {content.begin(), content.end()};
}

}  // namespace tsmfs::snapshot
