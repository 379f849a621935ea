// The bytes of a pack file: encoding and checked decoding of each of its parts. docs/FORMAT.md,
// "Packs".
//
//   header | frame, frame, … | frame table | blob table | trailer
//
// A pack's frames laid end to end, uncompressed, are its *logical bytes*; a place in a pack is an
// offset into them. The logical bytes are tiled by *blobs*: chunks, then recipes, then tree nodes,
// each known by its id. Pure functions, no files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "index/base/bytes.h"
#include "index/format/digest.h"

namespace tsmfs::index {

constexpr size_t kPackHeaderBytes = 64;
constexpr size_t kFrameHeaderBytes = 32;
constexpr size_t kPackTrailerBytes = 64;
constexpr uint64_t kFrameRawBytesMax =
    uint64_t{64} << 20;  // one recipe or tree node may take a frame of its own
constexpr uint64_t kPackRawBytesMax = uint64_t{1} << 30;
constexpr uint32_t kFramesPerPackMax = 1 << 20;
constexpr uint32_t kBlobsPerPackMax = 1 << 26;

enum class BlobKind : uint8_t { kChunk = 1, kRecipe = 2, kTree = 3 };
enum class Codec : uint8_t {  // index/codec/frame_codec.h has all
  kRaw = 0,
  kZstd = 1,
  kMixed = 2
};

struct PackHeader {
  PackId id;
  RepositoryId repository;
  uint64_t sequence = 0;  // counts up in a repository: the later of two packs has the higher
};

struct FrameHeader {
  BlobKind kind = BlobKind::kChunk;
  Codec codec = Codec::kRaw;
  uint32_t raw_length = 0;
  uint32_t stored_length = 0;  // of the bytes behind this header
  uint64_t logical_start = 0;
};

struct FrameEntry {
  BlobKind kind = BlobKind::kChunk;
  uint32_t raw_length = 0;
  uint32_t stored_length = 0;
  uint32_t blob_count = 0;
  uint64_t logical_start = 0;  // derived: sum of the raw lengths before
  uint64_t file_offset = 0;    // derived: of the frame's header
  uint32_t first_blob = 0;     // derived: sum of the blob counts before
  uint64_t logical_end() const { return logical_start + raw_length; }
};

struct BlobEntry {
  Id<struct BlobTag> id;  // a ChunkId, FileId (of a recipe) or TreeId, as the frame's kind says
  uint32_t length = 0;
  uint64_t logical_start = 0;  // derived
};

// Logical bytes [start, end) of a pack.
struct ByteRange {
  uint32_t start = 0;
  uint32_t end = 0;
  bool operator==(const ByteRange&) const = default;
};

struct PackTrailer {
  uint64_t tables_offset =
      0;  // of the frame table; the blob table follows it, the trailer follows that
  uint32_t frame_table_length = 0;
  uint32_t blob_table_length = 0;
  uint64_t frame_table_checksum = 0;
  uint64_t blob_table_checksum = 0;
  uint32_t frame_count = 0;
  uint32_t blob_count = 0;
};

// The seed of a pack's checksums, so that bytes of another pack are not taken for its own.
uint64_t checksum_seed(const PackId& id);

void encode_pack_header(const PackHeader& header, MutableByteView out);  // kPackHeaderBytes
void encode_frame_header(const FrameHeader& header, ByteView stored, const PackId& pack,
                         MutableByteView out);  // kFrameHeaderBytes
ByteBuffer encode_frame_table(const std::vector<FrameEntry>& frames);
ByteBuffer encode_blob_table(const std::vector<BlobEntry>& blobs);
void encode_pack_trailer(const PackTrailer& trailer, const PackId& pack,
                         MutableByteView out);  // kPackTrailerBytes

// All of these throw CorruptError, naming `object`, for bytes that the encoders above cannot have
// made; where the bytes are sound, and of a kind or version that is not known, NewerFormatError.
PackHeader decode_pack_header(ByteView bytes, std::string_view object);
// `frame` is header and stored bytes together; verifies the checksum over both.
FrameHeader decode_frame(ByteView frame, const PackId& pack, std::string_view object);
// `pack_bytes` is the length of the whole file, which the trailer must account for.
PackTrailer decode_pack_trailer(ByteView bytes, uint64_t pack_bytes, const PackId& pack,
                                std::string_view object);
std::vector<FrameEntry> decode_frame_table(ByteView bytes, const PackTrailer& trailer,
                                           const PackId& pack, std::string_view object);
std::vector<BlobEntry> decode_blob_table(ByteView bytes, const PackTrailer& trailer,
                                         const std::vector<FrameEntry>& frames, const PackId& pack,
                                         std::string_view object);

}  // namespace tsmfs::index
