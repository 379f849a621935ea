// Bytes of one meaning, as they stand in a frame: a varint raw length; then, unless that is 0, a
// varint stored length and as many bytes, one zstd frame; a stored length of 0 says that the raw
// bytes follow.
#pragma once

#include "index/base/bytes.h"
#include "index/codec/zstd.h"

namespace tsmfs::index {

void append_section(ByteBuffer& out, ByteView raw, ZstdCompressor& zstd);
// Throws: CorruptError when the section is cut off, larger than `raw_bytes_max`, or does not
// decompress. Behind it lie `slack` bytes that may be read, and say nothing.
RawBuffer read_section(ByteReader& in, uint64_t raw_bytes_max, size_t slack = 0);

}  // namespace tsmfs::index
