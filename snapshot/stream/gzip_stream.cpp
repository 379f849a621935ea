#include "snapshot/stream/gzip_stream.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <new>
#include <utility>

#include "index/base/error.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kInputBytes = size_t{64} << 10;
constexpr size_t kOutputBytesMax = size_t{1} << 30;  // of one call: zlib counts in 32 bits
constexpr int kGzipOnly = 16 + MAX_WBITS;            // no zlib header, no raw deflate

}  // namespace

GzipStream::GzipStream(std::unique_ptr<ByteStream> compressed, std::string label,
                       uint64_t bytes_max)
    : compressed_(std::move(compressed)),
      label_(std::move(label)),
      bytes_max_(bytes_max),
      input_(kInputBytes),
      inflater_(std::make_unique<z_stream_s>()) {
  if (inflateInit2(inflater_.get(), kGzipOnly) != Z_OK) throw std::bad_alloc();
}

GzipStream::~GzipStream() {
  inflateEnd(inflater_.get());
}

size_t GzipStream::read(MutableByteView out) {
  if (ended_) return 0;
  const auto room = static_cast<uInt>(std::min(out.size(), kOutputBytesMax));
  inflater_->next_out = reinterpret_cast<Bytef*>(out.data());
  inflater_->avail_out = room;
  while (inflater_->avail_out == room && !ended_) {
    if (inflater_->avail_in == 0) fill_input();
    const int status = inflate(inflater_.get(), Z_NO_FLUSH);
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status != Z_OK && status != Z_STREAM_END)
      fail(inflater_->msg != nullptr ? inflater_->msg : "its compressed data are damaged");
    ended_ = status == Z_STREAM_END;
  }
  const size_t count = room - inflater_->avail_out;
  bytes_read_ += count;
  if (bytes_read_ > bytes_max_)
    fail(fmt::format("it holds more than the {} bytes that it should", bytes_max_));
  if (ended_) finish();
  return count;
}

void GzipStream::fill_input() {
  const size_t count = compressed_->read(input_.span());
  if (count == 0)
    fail(fmt::format("the gzip stream ends early, after {} bytes of content", bytes_read_));
  inflater_->next_in = reinterpret_cast<Bytef*>(input_.data());
  inflater_->avail_in = static_cast<uInt>(count);
}

void GzipStream::finish() {
  if (inflater_->avail_in > 0 || compressed_->read(input_.span()) > 0)
    fail("bytes follow the gzip stream");
}

void GzipStream::fail(const std::string& why) const {
  throw ProtocolError(fmt::format("{}: {}", label_, why));
}

}  // namespace tsmfs::snapshot
