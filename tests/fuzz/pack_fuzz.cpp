// A whole pack file: every part of it is consistent with the others, or CorruptError says that it
// is not.
//
// The input is tried as it is, and with all its checksums made right, so that the fuzzer gets
// behind them.

#include <cstring>
#include <string>
#include <vector>

#include "index/base/error.h"
#include "index/base/file.h"
#include "index/format/object_keys.h"
#include "index/pack/pack_reader.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/memory_storage.h"

namespace tsmfs::fuzz {
namespace {

using namespace index;

constexpr size_t kEndsBytes = kPackHeaderBytes + kPackTrailerBytes;

PackId id_of(ByteView pack) {
  return PackId::from(pack.subspan(16, kIdBytes));
}

RepositoryId repository_of(ByteView pack) {
  return RepositoryId::from(pack.subspan(32, kIdBytes));
}

void check_frames(const PackReader& pack) {
  uint64_t logical = 0, offset = kPackHeaderBytes, blobs = 0;
  for (size_t i = 0; i < pack.frames().size(); ++i) {
    const FrameEntry& frame = pack.frames()[i];
    require(
        frame.logical_start == logical && frame.file_offset == offset && frame.first_blob == blobs,
        "frames follow each other");
    require(frame.raw_length > 0 && frame.raw_length <= kFrameRawBytesMax,
            "a frame has bytes, and not too many");
    require(i == 0 || frame.kind >= pack.frames()[i - 1].kind,
            "frames come in the order of their kinds");
    require(pack.frame_at(logical) == i && pack.frame_at(frame.logical_end() - 1) == i,
            "a place is found in its frame");
    logical = frame.logical_end();
    offset += kFrameHeaderBytes + frame.stored_length;
    blobs += frame.blob_count;
  }
  require(pack.logical_bytes() == logical && logical <= kPackRawBytesMax,
          "the frames are the pack");
  require(!takes<CorruptError>([&] { pack.frame_at(logical); }),
          "nothing lies behind the last frame");
}

void check_blobs(const PackReader& pack, const std::vector<BlobEntry>& blobs) {
  uint64_t logical = 0;
  for (const BlobEntry& blob : blobs) {
    require(blob.logical_start == logical, "blobs follow each other");
    logical += blob.length;
  }
  require(logical == pack.logical_bytes(), "the blobs are the pack");
}

void read_pack(ByteView bytes) {
  test::MemoryStorage storage;
  storage.put(pack_key(id_of(bytes)), bytes);
  takes<CorruptError>([&] {
    const PackReader pack(storage, id_of(bytes), repository_of(bytes));
    check_frames(pack);
    takes<CorruptError>([&] { check_blobs(pack, pack.read_blobs()); });
    for (size_t i = 0; i < pack.frames().size(); ++i)
      takes<CorruptError>([&] {
        require(pack.read_frame(i).size() == pack.frames()[i].raw_length,
                "a frame is as long as it says");
      });
    takes<CorruptError>([&] {
      const PackContents contents =
          read_pack_contents(pack, [](const PackId& id) { return id.bytes[0] != std::byte{0}; });
      require(contents.file_bytes == bytes.size() && contents.frames.size() == pack.frames().size(),
              "the contents are the pack's");
    });
  });
}

uint64_t seed_of(ByteView pack) {
  return checksum_seed(id_of(pack));
}

void seal_header(MutableByteView pack) {
  store_le(pack.data() + 56, checksum(pack.first(56), 0));
}

// Requires: the tables named by `trailer` lie inside the pack.
void seal_trailer(MutableByteView pack, const PackTrailer& trailer) {
  const MutableByteView end = pack.last(kPackTrailerBytes);
  store_le(end.data(), trailer.tables_offset);
  store_le(end.data() + 16, trailer.frame_table_checksum);
  store_le(end.data() + 24, trailer.blob_table_checksum);
  store_le(end.data() + 56, checksum(end.first(56), seed_of(pack)));
}

// The trailer, its tables moved to where they must be and their checksums made right. False when
// they do not fit the pack.
bool mend_trailer(MutableByteView pack, PackTrailer& trailer) {
  const std::byte* end = pack.data() + pack.size() - kPackTrailerBytes;
  trailer.frame_table_length = load_le<uint32_t>(end + 8);
  trailer.blob_table_length = load_le<uint32_t>(end + 12);
  trailer.frame_count = load_le<uint32_t>(end + 32);
  trailer.blob_count = load_le<uint32_t>(end + 36);
  const uint64_t tables_bytes = uint64_t{trailer.frame_table_length} + trailer.blob_table_length;
  if (tables_bytes > pack.size() - kEndsBytes) return false;
  trailer.tables_offset = pack.size() - kPackTrailerBytes - tables_bytes;
  const ByteView tables = pack.subspan(trailer.tables_offset, tables_bytes);
  trailer.frame_table_checksum = checksum(tables.first(trailer.frame_table_length), seed_of(pack));
  trailer.blob_table_checksum = checksum(tables.subspan(trailer.frame_table_length), seed_of(pack));
  return true;
}

void seal_frames(MutableByteView pack, const PackTrailer& trailer) {
  takes<CorruptError>([&] {
    const ByteView table = pack.subspan(trailer.tables_offset, trailer.frame_table_length);
    for (const FrameEntry& frame : decode_frame_table(table, trailer, id_of(pack), "input")) {
      const MutableByteView stored =
          pack.subspan(frame.file_offset, kFrameHeaderBytes + frame.stored_length);
      const uint64_t of_header = checksum(stored.first(kFrameHeaderBytes - 8), seed_of(pack));
      store_le(stored.data() + 24, checksum(stored.subspan(kFrameHeaderBytes), of_header));
    }
  });
}

ByteBuffer sealed(ByteView pack) {
  ByteBuffer bytes(pack.begin(), pack.end());
  seal_header(bytes);
  PackTrailer trailer;
  if (mend_trailer(bytes, trailer)) {
    seal_trailer(bytes, trailer);
    seal_frames(bytes, trailer);
  }
  return bytes;
}

}  // namespace
}  // namespace tsmfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  const ByteView pack = fuzz::input_bytes(data, size);
  if (size < fuzz::kEndsBytes) return 0;
  fuzz::read_pack(pack);
  fuzz::read_pack(fuzz::sealed(pack));
  return 0;
}
