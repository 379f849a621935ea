// One call of the storage fails while packs are filled, or read: what counts as stored is there,
// and no fault passes for a pack.
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "index/base/error.h"
#include "index/format/object_keys.h"
#include "index/pack/pack_filler.h"
#include "index/pack/pack_store.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/memory_storage.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::index {
namespace {

using test::FaultyStorage, test::When;

constexpr size_t kFaultChunks = 40, kFaultChunkBytes = 2'000;

class PackFaultsTest : public ::testing::Test {
 protected:
  PackFaultsTest() {
    config_.frame_bytes = 4096;
    config_.pack_bytes = 20'000;
  }
  ByteBuffer chunk(size_t number) const { return test::random_bytes(kFaultChunkBytes, number); }
  // Stores the chunks; `durable` gets the packs as they are said to be so.
  void fill(Storage& storage, std::vector<PackId>& durable) const {
    PackFiller filler({storage, config_, 1, Compression{Compression::kNone, 0}, 2,
                       [&](const PackContents& pack) { durable.push_back(pack.header.id); }});
    for (size_t i = 0; i < kFaultChunks; ++i) {
      const ByteBuffer bytes = chunk(i);
      filler.add_chunk(config_.key.digest<ChunkId>(bytes), bytes);
    }
    filler.drain();
  }
  // The count of chunks in a pack, all of it read and held against their ids.
  size_t read(const PackReader& pack) const {
    const auto blobs = pack.read_blobs();
    for (size_t number = 0; number < pack.frames().size(); ++number) {
      const FrameEntry& frame = pack.frames()[number];
      const RawBuffer raw = pack.read_frame(number);
      for (uint32_t i = 0; i < frame.blob_count; ++i) {
        const BlobEntry& blob = blobs[frame.first_blob + i];
        const ByteView bytes =
            raw.view().subspan(blob.logical_start - frame.logical_start, blob.length);
        EXPECT_EQ(config_.key.digest<ChunkId>(bytes).bytes, blob.id.bytes);
      }
    }
    return blobs.size();
  }

  Config config_ = new_config();
};

TEST_F(PackFaultsTest, WhatIsSaidToBeDurableIsWhole) {
  test::with_each_fault([&](size_t fails, When when) {
    SCOPED_TRACE(fails);
    test::MemoryStorage storage;
    FaultyStorage faulty(storage, fails, when);
    std::vector<PackId> durable;
    bool failed = false;
    try {
      fill(faulty, durable);
    } catch (const IoError&) {
      failed = true;
    }
    EXPECT_EQ(failed, faulty.has_failed());
    PackStore packs(storage, config_.id);
    size_t chunks = 0;
    packs.for_each_id([&](const PackId& id) { chunks += read(*packs.open(id)); });
    for (const PackId& id : durable) EXPECT_TRUE(storage.has(pack_key(id)));
    EXPECT_LE(chunks, kFaultChunks);
    if (!failed) {
      EXPECT_EQ(chunks, kFaultChunks);
    }
    return faulty.has_failed();
  });
}

TEST_F(PackFaultsTest, AReadThatFailsIsNoDamageAndIsNotKept) {
  test::MemoryStorage storage;
  std::vector<PackId> durable;
  fill(storage, durable);
  test::with_each_fault([&](size_t fails, When when) {
    SCOPED_TRACE(fails);
    FaultyStorage faulty(storage, fails, when);
    PackStore packs(faulty, config_.id);
    const auto read_all = [&] {
      size_t chunks = 0;
      for (const PackId& id : durable) chunks += read(*packs.open(id));
      return chunks;
    };
    try {
      EXPECT_EQ(read_all(), kFaultChunks);
    } catch (const IoError& error) {
      EXPECT_EQ(error.error_number(), EIO);
    }
    if (!faulty.has_failed()) return false;
    EXPECT_EQ(read_all(), kFaultChunks);
    return true;
  });
}

}  // namespace
}  // namespace tsmfs::index
