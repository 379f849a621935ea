#include "snapshot/stream/gzip_stream.h"

#include <fmt/format.h>

#include <utility>

#include "index/base/error.h"

namespace tsmfs::snapshot {

GzipStream::GzipStream(std::unique_ptr<ByteStream> compressed, std::string label,
                       uint64_t bytes_max)
    : compressed_(std::move(compressed)),
      label_(std::move(label)),
      bytes_max_(bytes_max),
      inflater_(*compressed_) {}

size_t GzipStream::read(MutableByteView out) {
  if (ended_) return 0;
  const GzipInflater::Piece piece = inflater_.next(out);
  if (piece.stop == GzipInflater::Stop::kInputEnd)
    fail(fmt::format("the gzip stream ends early, after {} bytes of content", bytes_read_));
  if (piece.stop == GzipInflater::Stop::kDamaged)
    fail(inflater_.message() ? inflater_.message() : "its compressed data are damaged");
  bytes_read_ += piece.bytes;
  if (bytes_read_ > bytes_max_)
    fail(fmt::format("it holds more than the {} bytes that it should", bytes_max_));
  ended_ = piece.stop == GzipInflater::Stop::kMemberEnd;
  if (ended_ && inflater_.has_more_input()) fail("bytes follow the gzip stream");
  return piece.bytes;
}

void GzipStream::fail(const std::string& why) const {
  throw ProtocolError(fmt::format("{}: {}", label_, why));
}

}  // namespace tsmfs::snapshot
