#include "index/format/pack_format.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/error.h"

namespace tsmfs::index {

namespace {

constexpr std::string_view kPackMagic = "TSMFSPAK";
constexpr std::string_view kTrailerMagic = "TSMFSEND";
constexpr uint32_t kFrameMagic = 0x4d415246;  // "FRAM"
constexpr uint32_t kPackVersion = 1;

[[noreturn]] void fail(std::string_view object, std::string_view why) {
  throw CorruptError(fmt::format("{} is damaged: {}", object, why));
}

// Requires: a checksum says that the byte is what was written.
void require_known(BlobKind kind, std::string_view object) {
  if (kind < BlobKind::kChunk || kind > BlobKind::kTree)
    throw NewerFormatError(object, fmt::format("a frame of kind {}", static_cast<uint8_t>(kind)));
}

// The checksum of a frame covers its header up to the checksum itself, then the stored bytes.
uint64_t frame_checksum(ByteView header, ByteView stored, const PackId& pack) {
  return checksum(stored, checksum(header.first(kFrameHeaderBytes - 8), checksum_seed(pack)));
}

}  // namespace

uint64_t checksum_seed(const PackId& id) {
  return load_le<uint64_t>(id.bytes.data());
}

void encode_pack_header(const PackHeader& header, MutableByteView out) {
  std::memset(out.data(), 0, kPackHeaderBytes);
  std::memcpy(out.data(), kPackMagic.data(), 8);
  store_le<uint32_t>(out.data() + 8, kPackVersion);
  std::memcpy(out.data() + 16, header.id.bytes.data(), kIdBytes);
  std::memcpy(out.data() + 32, header.repository.bytes.data(), kIdBytes);
  store_le<uint64_t>(out.data() + 48, header.sequence);
  store_le<uint64_t>(out.data() + 56, checksum(out.first(56), 0));
}

PackHeader decode_pack_header(ByteView bytes, std::string_view object) {
  if (bytes.size() != kPackHeaderBytes || as_text(bytes.first(8)) != kPackMagic)
    fail(object, "it does not begin like a pack");
  if (load_le<uint64_t>(bytes.data() + 56) != checksum(bytes.first(56), 0))
    fail(object, "its header's checksum is wrong");
  if (load_le<uint32_t>(bytes.data() + 8) != kPackVersion ||
      load_le<uint32_t>(bytes.data() + 12) != 0)
    throw NewerFormatError(object, "another version of pack");
  PackHeader header;
  header.id = PackId::from(bytes.subspan(16, kIdBytes));
  header.repository = RepositoryId::from(bytes.subspan(32, kIdBytes));
  header.sequence = load_le<uint64_t>(bytes.data() + 48);
  return header;
}

void encode_frame_header(const FrameHeader& header, ByteView stored, const PackId& pack,
                         MutableByteView out) {
  store_le<uint32_t>(out.data(), kFrameMagic);
  out[4] = static_cast<std::byte>(header.kind);
  out[5] = static_cast<std::byte>(header.codec);
  store_le<uint16_t>(out.data() + 6, 0);
  store_le<uint32_t>(out.data() + 8, header.raw_length);
  store_le<uint32_t>(out.data() + 12, header.stored_length);
  store_le<uint64_t>(out.data() + 16, header.logical_start);
  store_le<uint64_t>(out.data() + 24, frame_checksum(out, stored, pack));
}

FrameHeader decode_frame(ByteView frame, const PackId& pack, std::string_view object) {
  if (frame.size() < kFrameHeaderBytes || load_le<uint32_t>(frame.data()) != kFrameMagic)
    fail(object, "a frame is not where it should be");
  const ByteView stored = frame.subspan(kFrameHeaderBytes);
  if (load_le<uint64_t>(frame.data() + 24) != frame_checksum(frame, stored, pack))
    fail(object, "a frame's checksum is wrong");
  FrameHeader header;
  header.kind = static_cast<BlobKind>(frame[4]);
  header.codec = static_cast<Codec>(frame[5]);
  header.raw_length = load_le<uint32_t>(frame.data() + 8);
  header.stored_length = load_le<uint32_t>(frame.data() + 12);
  header.logical_start = load_le<uint64_t>(frame.data() + 16);
  require_known(header.kind, object);
  if (load_le<uint16_t>(frame.data() + 6) != 0)
    throw NewerFormatError(object, "another kind of frame header");
  if (header.stored_length != stored.size() || header.raw_length > kFrameRawBytesMax)
    fail(object, "a frame's lengths are wrong");
  return header;
}

ByteBuffer encode_frame_table(const std::vector<FrameEntry>& frames) {
  ByteBuffer out;
  ByteWriter writer(out);
  for (const FrameEntry& frame : frames) {
    writer.u8(static_cast<uint8_t>(frame.kind));
    writer.varint(frame.raw_length);
    writer.varint(frame.stored_length);
    writer.varint(frame.blob_count);
  }
  return out;
}

std::vector<FrameEntry> decode_frame_table(ByteView bytes, const PackTrailer& trailer,
                                           const PackId& pack, std::string_view object) {
  if (checksum(bytes, checksum_seed(pack)) != trailer.frame_table_checksum)
    fail(object, "its frame table's checksum is wrong");
  ByteReader reader(bytes, object);
  std::vector<FrameEntry> frames;
  frames.reserve(std::min<size_t>(trailer.frame_count, bytes.size() / 4));
  FrameEntry next;
  next.file_offset = kPackHeaderBytes;
  BlobKind last_kind = BlobKind::kChunk;
  for (uint32_t i = 0; i < trailer.frame_count; ++i) {
    FrameEntry frame = next;
    frame.kind = static_cast<BlobKind>(reader.u8());
    require_known(frame.kind, object);
    if (frame.kind < last_kind) reader.fail("frames out of order");
    last_kind = frame.kind;
    frame.raw_length = static_cast<uint32_t>(reader.varint(kFrameRawBytesMax));
    frame.stored_length = static_cast<uint32_t>(reader.varint(kFrameRawBytesMax));
    frame.blob_count = static_cast<uint32_t>(reader.varint(trailer.blob_count - frame.first_blob));
    if (frame.raw_length == 0 || frame.blob_count == 0) reader.fail("an empty frame");
    next.file_offset = frame.file_offset + kFrameHeaderBytes + frame.stored_length;
    next.logical_start = frame.logical_end();
    next.first_blob = frame.first_blob + frame.blob_count;
    if (next.logical_start > kPackRawBytesMax)
      reader.fail("more logical bytes than a pack may hold");
    frames.push_back(frame);
  }
  reader.expect_end();
  if (next.file_offset != trailer.tables_offset || next.first_blob != trailer.blob_count)
    fail(object, "its frames do not fill the space before its tables");
  return frames;
}

ByteBuffer encode_blob_table(const std::vector<BlobEntry>& blobs) {
  ByteBuffer out;
  out.reserve(blobs.size() * (kIdBytes + 2));
  ByteWriter writer(out);
  for (const BlobEntry& blob : blobs) writer.raw(blob.id.view());
  for (const BlobEntry& blob : blobs) writer.varint(blob.length);
  return out;
}

std::vector<BlobEntry> decode_blob_table(ByteView bytes, const PackTrailer& trailer,
                                         const std::vector<FrameEntry>& frames, const PackId& pack,
                                         std::string_view object) {
  if (checksum(bytes, checksum_seed(pack)) != trailer.blob_table_checksum)
    fail(object, "its blob table's checksum is wrong");
  ByteReader reader(bytes, object);
  const ByteView ids = reader.raw(uint64_t{trailer.blob_count} * kIdBytes);
  std::vector<BlobEntry> blobs(trailer.blob_count);
  size_t at = 0;
  for (const FrameEntry& frame : frames) {
    uint64_t offset = frame.logical_start;
    for (uint32_t i = 0; i < frame.blob_count; ++i, ++at) {
      BlobEntry& blob = blobs[at];
      blob.id = Id<BlobTag>::from(ids.subspan(at * kIdBytes, kIdBytes));
      blob.length = static_cast<uint32_t>(reader.varint(frame.logical_end() - offset));
      blob.logical_start = offset;
      offset += blob.length;
    }
    if (offset != frame.logical_end()) fail(object, "a frame's blobs do not fill it");
  }
  reader.expect_end();
  return blobs;
}

void encode_pack_trailer(const PackTrailer& trailer, const PackId& pack, MutableByteView out) {
  std::memset(out.data(), 0, kPackTrailerBytes);
  store_le<uint64_t>(out.data(), trailer.tables_offset);
  store_le<uint32_t>(out.data() + 8, trailer.frame_table_length);
  store_le<uint32_t>(out.data() + 12, trailer.blob_table_length);
  store_le<uint64_t>(out.data() + 16, trailer.frame_table_checksum);
  store_le<uint64_t>(out.data() + 24, trailer.blob_table_checksum);
  store_le<uint32_t>(out.data() + 32, trailer.frame_count);
  store_le<uint32_t>(out.data() + 36, trailer.blob_count);
  std::memcpy(out.data() + 48, kTrailerMagic.data(), 8);
  store_le<uint64_t>(out.data() + 56, checksum(out.first(56), checksum_seed(pack)));
}

PackTrailer decode_pack_trailer(ByteView bytes, uint64_t pack_bytes, const PackId& pack,
                                std::string_view object) {
  if (bytes.size() != kPackTrailerBytes || as_text(bytes.subspan(48, 8)) != kTrailerMagic)
    fail(object, "it does not end like a pack");
  if (load_le<uint64_t>(bytes.data() + 56) != checksum(bytes.first(56), checksum_seed(pack)))
    fail(object, "its trailer's checksum is wrong");
  PackTrailer trailer;
  trailer.tables_offset = load_le<uint64_t>(bytes.data());
  trailer.frame_table_length = load_le<uint32_t>(bytes.data() + 8);
  trailer.blob_table_length = load_le<uint32_t>(bytes.data() + 12);
  trailer.frame_table_checksum = load_le<uint64_t>(bytes.data() + 16);
  trailer.blob_table_checksum = load_le<uint64_t>(bytes.data() + 24);
  trailer.frame_count = load_le<uint32_t>(bytes.data() + 32);
  trailer.blob_count = load_le<uint32_t>(bytes.data() + 36);
  if (load_le<uint64_t>(bytes.data() + 40) != 0)
    throw NewerFormatError(object, "another kind of trailer");
  const uint64_t behind =
      uint64_t{trailer.frame_table_length} + trailer.blob_table_length + kPackTrailerBytes;
  if (behind > pack_bytes || trailer.tables_offset != pack_bytes - behind ||
      trailer.tables_offset < kPackHeaderBytes)
    fail(object, "its tables are not where its trailer says");
  if (trailer.frame_count > kFramesPerPackMax || trailer.blob_count > kBlobsPerPackMax)
    fail(object, "too many frames or blobs");
  return trailer;
}

}  // namespace tsmfs::index
