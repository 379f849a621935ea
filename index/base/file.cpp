#include "index/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/rename_at.h"
#include "index/base/retry_eintr.h"

namespace tsmfs {

namespace fs = std::filesystem;

namespace {

// Linux moves at most this many bytes in one read or write (read(2)).
constexpr size_t kTransferBytesMax = 0x7ffff000;
constexpr int kReadAttempts = 3;

// Devices may stand for files, as /dev/null does.
void require_file(const Fd& fd, const fs::path& path) {
  const mode_t mode = file_status(fd, path).st_mode;
  if (!S_ISREG(mode) && !S_ISCHR(mode) && !S_ISBLK(mode))
    throw CorruptError(path.string() + " is no file", "look at what is in its place");
}

// What a process that was killed left there goes; so does a link, which is not followed.
Fd open_fresh(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw_errno("cannot remove " + path.string());
  return open_file(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
}

// Some file systems cannot rename without replacing: there nobody else gives that name meanwhile.
void rename_to_new(const fs::path& from, const fs::path& to) {
  const auto result = rename_at(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
  if (result == RenameResult::kDone) return;
  if (result == RenameResult::kFailed)
    throw_errno("cannot rename " + from.string() + " to " + to.string());
  if (path_exists(to)) throw IoError("cannot make " + to.string(), EEXIST);
  rename_file(from, to);
}

}  // namespace

void Fd::reset() {
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

Fd open_file(const fs::path& path, int flags, unsigned mode) {
  // Without O_NONBLOCK a FIFO in the place of a file waits for its other end.
  Fd fd(retry_eintr([&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK, mode); }));
  if (!fd) throw_errno("cannot open " + path.string());
  if ((flags & (O_DIRECTORY | O_PATH)) == 0) require_file(fd, path);
  return fd;
}

Fd open_if_exists(const fs::path& path, int flags) {
  Fd fd(retry_eintr([&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK); }));
  const bool other_kind = errno == ENOTDIR && (flags & O_DIRECTORY) != 0;
  if (!fd && (other_kind || !is_absence(errno))) throw_errno("cannot open " + path.string());
  if (fd && (flags & O_DIRECTORY) == 0) require_file(fd, path);
  return fd;
}

struct stat file_status(const Fd& fd, const fs::path& path) {
  struct stat status {};
  if (::fstat(fd.number(), &status) != 0) throw_errno("cannot stat " + path.string());
  return status;
}

uint64_t file_size(const Fd& fd, const fs::path& path) {
  return static_cast<uint64_t>(file_status(fd, path).st_size);
}

void pread_exactly(const Fd& fd, uint64_t offset, MutableByteView out, const fs::path& path) {
  size_t done = 0;
  for (int failures = 0; done < out.size();) {
    const size_t wanted = std::min(out.size() - done, kTransferBytesMax);
    const ssize_t count = retry_eintr([&] {
      return ::pread(fd.number(), out.data() + done, wanted, static_cast<off_t>(offset + done));
    });
    if (count < 0 && errno == EIO && ++failures < kReadAttempts) continue;
    if (count < 0) throw_errno("cannot read " + path.string());
    if (count == 0)
      throw CorruptError(fmt::format("{} ends at byte {}, but {} were expected", path.string(),
                                     offset + done, offset + out.size()));
    done += static_cast<size_t>(count);
  }
}

void write_all(const Fd& fd, ByteView bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const size_t wanted = std::min(bytes.size(), kTransferBytesMax);
    const ssize_t count = retry_eintr([&] { return ::write(fd.number(), bytes.data(), wanted); });
    if (count < 0) throw_errno("cannot write " + path.string());
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

void sync_file(const Fd& fd, const fs::path& path) {
  if (retry_eintr([&] { return ::fsync(fd.number()); }) != 0)
    throw_errno("cannot sync " + path.string());
}

void sync_directory(const fs::path& directory) {
  const fs::path path = directory.empty() ? "." : directory;
  const Fd fd = open_file(path, O_RDONLY | O_DIRECTORY);
  sync_file(fd, path);
}

std::string read_whole_file(const fs::path& path, uint64_t bytes_max) {
  const Fd fd = open_file(path, O_RDONLY);
  const uint64_t size = file_size(fd, path);
  if (size > bytes_max)
    throw CorruptError(
        fmt::format("{} holds {} bytes, more than the {} allowed", path.string(), size, bytes_max));
  std::string content(size, '\0');
  pread_exactly(fd, 0, {reinterpret_cast<std::byte*>(content.data()), content.size()}, path);
  return content;
}

std::string read_kernel_file(const fs::path& path, uint64_t bytes_max) {
  constexpr size_t kPieceBytes = size_t{64} << 10;
  const Fd file = open_file(path, O_RDONLY);
  std::string content;
  while (content.size() <= bytes_max) {
    const size_t before = content.size();
    content.resize(before + kPieceBytes);
    const ssize_t got =
        retry_eintr([&] { return ::read(file.number(), content.data() + before, kPieceBytes); });
    if (got < 0) throw_errno("cannot read " + path.string());
    content.resize(before + static_cast<size_t>(got));
    if (got == 0) return content;
  }
  throw IoError("cannot take in all of " + path.string(), EFBIG);
}

void rename_file(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    throw_errno("cannot rename " + from.string() + " to " + to.string());
}

bool exchange_files(const fs::path& one, const fs::path& other) {
  const auto result = rename_at(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
  if (result == RenameResult::kFailed)
    throw_errno("cannot exchange " + one.string() + " and " + other.string());
  return result == RenameResult::kDone;
}

void make_directory(const fs::path& path, unsigned mode) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
    throw_errno("cannot create " + path.string());
}

AtomicFile::AtomicFile(fs::path temporary, fs::path target)
    : temporary_(std::move(temporary)), target_(std::move(target)), fd_(open_fresh(temporary_)) {}

AtomicFile::~AtomicFile() {
  if (!published_) ::unlink(temporary_.c_str());
}

void AtomicFile::publish() {
  sync_file(fd_, temporary_);
  rename_file(temporary_, target_);
  published_ = true;
  sync_directory(target_.parent_path());
}

void AtomicFile::publish_new() {
  sync_file(fd_, temporary_);
  rename_to_new(temporary_, target_);
  published_ = true;
  sync_directory(target_.parent_path());
}

}  // namespace tsmfs
