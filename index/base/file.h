// Files and directories: an owned descriptor, whole reads and writes, and a write that appears at
// once or not at all.
//
// All functions retry EINTR and throw IoError naming the path.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "index/base/bytes.h"

namespace tsmfs {

// Owns a file descriptor. Not copyable; closes on destruction without a check (sync first where it
// matters).
class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Fd() { reset(); }
  void reset();
  int release() { return std::exchange(number_, -1); }  // it is the caller's then
  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

Fd open_file(const std::filesystem::path& path, int flags, unsigned mode = 0600);
// Absent is an empty Fd; anything else that fails throws (directory.h says what absence is).
Fd open_if_exists(const std::filesystem::path& path, int flags);

struct stat file_status(const Fd& fd, const std::filesystem::path& path);
uint64_t file_size(const Fd& fd, const std::filesystem::path& path);
// Reads exactly out.size() bytes. What a failing disk does not give at the first attempt it may
// give at the next: after EIO it is tried twice more. Throws: CorruptError when the file ends
// before that.
void pread_exactly(const Fd& fd, uint64_t offset, MutableByteView out,
                   const std::filesystem::path& path);
void write_all(const Fd& fd, ByteView bytes, const std::filesystem::path& path);
void sync_file(const Fd& fd, const std::filesystem::path& path);
// An empty path, as parent_path() gives of a bare name, is the working directory.
void sync_directory(const std::filesystem::path& directory);
// Throws: CorruptError when it is no file (a FIFO, say), or holds more than `bytes_max`.
std::string read_whole_file(const std::filesystem::path& path, uint64_t bytes_max);
// A file of /proc, which has no size until it is read. Throws: IoError, with EFBIG when it holds
// more than `bytes_max`.
std::string read_kernel_file(const std::filesystem::path& path, uint64_t bytes_max);
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to);
// Each takes the other's name, at once. False, with nothing done, on a file system that cannot.
bool exchange_files(const std::filesystem::path& one, const std::filesystem::path& other);
void make_directory(const std::filesystem::path& path,
                    unsigned mode = 0700);  // fine when it is there

// A file that takes its name when it is complete. Written under `temporary`; publish() syncs it,
// renames it to `target` and syncs the target's directory, after which it is durable; publish_new()
// throws IoError (EEXIST) where a file has that name. Destroyed unpublished, it is removed.
// Requires: both paths on one file system.
class AtomicFile {
 public:
  AtomicFile(std::filesystem::path temporary, std::filesystem::path target);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();
  void write(ByteView bytes) { write_all(fd_, bytes, temporary_); }
  const Fd& fd() const { return fd_; }
  const std::filesystem::path& temporary() const { return temporary_; }
  void publish();
  void publish_new();

 private:
  std::filesystem::path temporary_, target_;
  Fd fd_;
  bool published_ = false;
};

}  // namespace tsmfs
