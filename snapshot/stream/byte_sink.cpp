#include "snapshot/stream/byte_sink.h"

#include <fmt/format.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ostream>

#include "index/base/error.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kPiecesMax = 256;  // a system call; the kernel allows 1024

}  // namespace

void FileSink::write_pieces(std::span<const ByteView> pieces) {
  std::array<iovec, kPiecesMax> list;
  size_t skip = 0;  // bytes of the first piece that are out already
  while (!pieces.empty()) {
    const size_t count = std::min(pieces.size(), kPiecesMax);
    for (size_t i = 0; i < count; ++i) {
      const ByteView piece = i == 0 ? pieces[0].subspan(skip) : pieces[i];
      list[i] = {const_cast<std::byte*>(piece.data()), piece.size()};
    }
    const ssize_t written = ::writev(fd_.number(), list.data(), static_cast<int>(count));
    if (written < 0) {
      if (errno == EINTR) continue;
      throw_errno("cannot write " + path_.string());
    }
    skip += static_cast<size_t>(written);
    while (!pieces.empty() && skip >= pieces[0].size()) {
      skip -= pieces[0].size();
      pieces = pieces.subspan(1);
    }
  }
}

void StreamSink::write(ByteView bytes) {
  errno = 0;
  const std::string_view text = as_text(bytes);
  if (!out_.write(text.data(), static_cast<std::streamsize>(text.size())))
    throw IoError("cannot write the output", errno == 0 ? EIO : errno);
}

}  // namespace tsmfs::snapshot
