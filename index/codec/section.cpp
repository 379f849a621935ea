#include "index/codec/section.h"

#include <algorithm>

namespace tsmfs::index {

void append_section(ByteBuffer& out, ByteView raw, ZstdCompressor& zstd) {
  ByteWriter writer(out);
  writer.varint(raw.size());
  if (raw.empty()) return;
  RawBuffer stored(ZstdCompressor::bound(raw.size()));
  if (const auto length = zstd.compress(raw, stored.span())) {
    writer.sized(stored.view().first(*length));
    return;
  }
  writer.varint(0);
  writer.raw(raw);
}

RawBuffer read_section(ByteReader& in, uint64_t raw_bytes_max, size_t slack) {
  const uint64_t length = in.varint(raw_bytes_max);
  if (length == 0 && slack == 0) return {};
  RawBuffer raw(length + slack);
  std::fill(raw.data() + length, raw.data() + length + slack, std::byte{0});
  raw.resize(length);
  if (length == 0) return raw;
  if (const ByteView stored = in.sized(in.remaining()); stored.empty())
    std::ranges::copy(in.raw(length), raw.data());
  else if (!decompress_zstd(stored, raw.span()))
    in.fail("a section that does not decompress");
  return raw;
}

}  // namespace tsmfs::index
