#include "index/codec/section.h"

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

RawBuffer read_section(ByteReader& in, uint64_t raw_bytes_max) {
  const uint64_t length = in.varint(raw_bytes_max);
  if (length == 0) return {};
  const ByteView stored = in.sized(in.remaining());
  if (stored.empty()) {
    const ByteView plain = in.raw(length);
    RawBuffer raw(length);
    std::memcpy(raw.data(), plain.data(), length);
    return raw;
  }
  RawBuffer raw(length);
  if (!decompress_zstd(stored, raw.span())) in.fail("a section that does not decompress");
  return raw;
}

}  // namespace tsmfs::index
