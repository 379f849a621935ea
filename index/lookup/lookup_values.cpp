#include "index/lookup/lookup_values.h"

#include <string>

#include "index/base/error.h"
#include "index/lookup/lookup.h"

namespace tsmfs::index {

namespace {

constexpr uint8_t kLossyFlag = 2;  // of a file's place

[[noreturn]] void fail(std::string_view what) {
  throw CorruptError("the index holds " + std::string(what), std::string(kRebuildAdvice));
}

// Any other error of a decoder, with the advice that fits a lookup.
template <typename Decode>
auto decode(ByteView value, std::string_view object, const Decode& decode_with) {
  ByteReader reader(value, object);
  try {
    auto decoded = decode_with(reader);
    reader.expect_end();
    return decoded;
  } catch (const CorruptError& error) {
    throw CorruptError(error.what(), std::string(kRebuildAdvice));
  }
}

void write_place(ByteWriter& writer, const BlobPlace& place) {
  writer.raw(place.pack.view());
  writer.le(place.logical_start);
  writer.le(place.length);
}

BlobPlace read_place(ByteReader& reader) {
  BlobPlace place;
  place.pack = PackId::from(reader.raw(kIdBytes));
  place.logical_start = reader.le<uint32_t>();
  place.length = reader.le<uint32_t>();
  return place;
}

}  // namespace

ByteBuffer encode_pack_key(uint32_t number) {
  ByteBuffer key(sizeof number);
  store_be(key.data(), number);
  return key;
}

uint32_t decode_pack_key(ByteView key) {
  if (key.size() != sizeof(uint32_t)) fail("a pack without a number");
  return load_be<uint32_t>(key.data());
}

void check_id_key(ByteView key) {
  if (key.size() != kIdBytes) fail("a key that is no id");
}

ByteBuffer encode_chunk_value(uint32_t pack_number) {
  ByteBuffer value;
  ByteWriter(value).le(pack_number);
  return value;
}

uint32_t decode_chunk_value(ByteView value) {
  return decode(value, "a chunk's place in the index",
                [](ByteReader& reader) { return reader.le<uint32_t>(); });
}

ByteBuffer encode_tree_place(const BlobPlace& place) {
  ByteBuffer value;
  ByteWriter writer(value);
  write_place(writer, place);
  return value;
}

BlobPlace decode_tree_place(ByteView value) {
  return decode(value, "a tree node's place in the index", read_place);
}

ByteBuffer encode_file_place(const FilePlace& place) {
  ByteBuffer value;
  ByteWriter writer(value);
  write_place(writer, place.recipe);
  writer.u8(place.lossy ? kLossyFlag : 0);
  return value;
}

FilePlace decode_file_place(ByteView value) {
  return decode(value, "a file's place in the index", [](ByteReader& reader) {
    const BlobPlace place = read_place(reader);
    const uint8_t flags = reader.u8();
    return FilePlace{place, (flags & kLossyFlag) != 0};
  });
}

ByteBuffer encode_pack_record(const PackRecord& record) {
  ByteBuffer value;
  ByteWriter writer(value);
  writer.raw(record.id.view());
  writer.varint(record.file_bytes);
  writer.varint(0);
  writer.varint(record.logical_bytes.value_or(0));
  return value;
}

PackRecord decode_pack_record(ByteView value) {
  return decode(value, "a pack's record in the index", [](ByteReader& reader) {
    PackRecord record;
    record.id = PackId::from(reader.raw(kIdBytes));
    record.file_bytes = reader.varint();
    // An earlier program kept the count of chunks, and of their bytes, and reads any as that.
    const bool is_of_earlier = reader.varint() != 0;
    const uint64_t bytes = reader.varint();
    if (!is_of_earlier && bytes > 0) record.logical_bytes = bytes;
    return record;
  });
}

}  // namespace tsmfs::index
