// Where bytes go, in order: a file, a connection, standard output.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <span>

#include "index/base/bytes.h"
#include "index/base/file.h"

namespace tsmfs::snapshot {

// Not thread safe.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  // Takes all of it. Throws: IoError, ProtocolError, Cancelled; the sink is of no more use then.
  virtual void write(ByteView bytes) = 0;
  // The pieces one behind the other.
  virtual void write_pieces(std::span<const ByteView> pieces) {
    for (const ByteView piece : pieces) write(piece);
  }
};

// An open file or pipe, which outlives it. Pieces go out in one system call, without a copy.
class FileSink : public ByteSink {
 public:
  // `path` is for messages.
  FileSink(const Fd& fd, std::filesystem::path path) : fd_(fd), path_(std::move(path)) {}
  void write(ByteView bytes) override { write_all(fd_, bytes, path_); }
  void write_pieces(std::span<const ByteView> pieces) override;

 private:
  const Fd& fd_;
  std::filesystem::path path_;
};

// A standard stream, which outlives it.
class StreamSink : public ByteSink {
 public:
  explicit StreamSink(std::ostream& out) : out_(out) {}
  void write(ByteView bytes) override;

 private:
  std::ostream& out_;
};

}  // namespace tsmfs::snapshot
