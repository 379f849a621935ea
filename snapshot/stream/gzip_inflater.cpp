#include "snapshot/stream/gzip_inflater.h"

#include <algorithm>
#include <new>

namespace tsmfs::snapshot {

namespace {

constexpr size_t kInputBytes = size_t{64} << 10;
constexpr size_t kOutputBytesMax = size_t{1} << 30;  // of one call: zlib counts in 32 bits
constexpr int kGzipOnly = 16 + MAX_WBITS;            // no zlib header, no raw deflate

}  // namespace

GzipInflater::GzipInflater(ByteStream& compressed) : compressed_(compressed), input_(kInputBytes) {
  if (::inflateInit2(&stream_, kGzipOnly) != Z_OK) throw std::bad_alloc();
}

GzipInflater::~GzipInflater() {
  ::inflateEnd(&stream_);
}

GzipInflater::Piece GzipInflater::next(MutableByteView out) {
  const auto room = static_cast<uInt>(std::min(out.size(), kOutputBytesMax));
  stream_.next_out = reinterpret_cast<Bytef*>(out.data());
  stream_.avail_out = room;
  while (stream_.avail_out == room) {
    if (stream_.avail_in == 0 && !fill()) return {0, Stop::kInputEnd};
    if (!within_member_) ::inflateReset(&stream_);
    within_member_ = true;
    const int status = ::inflate(&stream_, Z_NO_FLUSH);
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status == Z_STREAM_END) {
      within_member_ = false;
      return {room - stream_.avail_out, Stop::kMemberEnd};
    }
    if (status != Z_OK) return {0, Stop::kDamaged};
  }
  return {room - stream_.avail_out, Stop::kRoom};
}

bool GzipInflater::has_more_input() {
  return stream_.avail_in > 0 || fill();
}

bool GzipInflater::fill() {
  const size_t count = compressed_.read(input_.span());
  stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
  stream_.avail_in = static_cast<uInt>(count);
  return count > 0;
}

}  // namespace tsmfs::snapshot
