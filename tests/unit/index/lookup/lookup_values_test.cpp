#include "index/lookup/lookup_values.h"

#include <gtest/gtest.h>

#include <utility>

#include "index/lookup/lookup.h"

namespace tsmfs::index {
namespace {

ByteBuffer record_of_earlier_program(uint64_t chunks, uint64_t chunk_bytes) {
  ByteBuffer value;
  ByteWriter writer(value);
  writer.raw(PackId().view());
  for (const uint64_t count : {uint64_t{5000}, chunks, chunk_bytes}) writer.varint(count);
  return value;
}

TEST(LookupValues, LogicalBytesComeBack) {
  for (const uint64_t bytes : {uint64_t{1}, uint64_t{70'000}, uint64_t{1} << 30}) {
    const PackRecord record{random_id<PackId>(), 12345, bytes};
    const PackRecord back = decode_pack_record(encode_pack_record(record));
    EXPECT_EQ(back.id, record.id);
    EXPECT_EQ(back.file_bytes, 12345u);
    EXPECT_EQ(back.logical_bytes, bytes);
  }
}

TEST(LookupValues, ARecordOfAnEarlierProgramHasNoLogicalBytes) {
  using Counts = std::pair<uint64_t, uint64_t>;
  for (const auto& [chunks, bytes] : {Counts{7, 900}, Counts{1, 1}, Counts{0, 0}}) {
    const PackRecord record = decode_pack_record(record_of_earlier_program(chunks, bytes));
    EXPECT_EQ(record.file_bytes, 5000u);
    EXPECT_EQ(record.logical_bytes, std::nullopt);
  }
}

// It reads three counts, and uses the first.
TEST(LookupValues, AnEarlierProgramReadsTodaysRecords) {
  const ByteBuffer today = encode_pack_record({PackId(), 5000, 900});
  EXPECT_EQ(today, record_of_earlier_program(0, 900));
}

}  // namespace
}  // namespace tsmfs::index
