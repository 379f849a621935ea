#include <fcntl.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "index/base/error.h"
#include "index/base/file.h"
#include "index/format/object_keys.h"
#include "index/pack/pack_reader.h"
#include "index/pack/pack_writer.h"
#include "index/storage/directory_storage.h"
#include "tests/support/repository_paths.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::index {
namespace {

// A directory with one small pack: a frame of two chunks, and one of a tree node.
class Pack : public ::testing::Test {
 protected:
  Pack() : paths_(dir_.path()) {
    make_directory(paths_.packs());
    make_directory(paths_.tmp());
    header_ = {random_id<PackId>(), random_id<RepositoryId>(), 7};
    PackWriter writer(storage_, header_);
    writer.append(frame(BlobKind::kChunk, {"hello ", "world"}));
    writer.append(frame(BlobKind::kTree, {"a tree node"}));
    contents_ = writer.finish();
    std::ifstream in(paths_.pack(header_.id), std::ios::binary);
    stored_.assign(std::istreambuf_iterator<char>(in), {});
  }

  static StoredFrame frame(BlobKind kind, const std::vector<std::string>& blobs) {
    std::string all;
    StoredFrame stored;
    for (const std::string& blob : blobs) {
      stored.blobs.push_back({random_id<Id<BlobTag>>(), static_cast<uint32_t>(blob.size()), 0});
      all += blob;
    }
    stored.kind = kind;
    stored.raw_length = static_cast<uint32_t>(all.size());
    stored.stored = RawBuffer(all.size());
    std::memcpy(stored.stored.data(), all.data(), all.size());
    return stored;
  }

  void store(const std::string& bytes) {
    std::ofstream(paths_.pack(header_.id), std::ios::binary | std::ios::trunc)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

  // Reads everything that the pack holds.
  std::string read() {
    const PackReader pack(storage_, header_.id, header_.repository);
    std::string all;
    for (const BlobEntry& blob : pack.read_blobs())
      all += blob.id.hex() + std::to_string(blob.length);
    for (size_t i = 0; i < pack.frames().size(); ++i) all += as_text(pack.read_frame(i).view());
    return all + std::to_string(pack.header().sequence);
  }

  test::TempDir dir_;
  test::RepositoryPaths paths_;
  DirectoryStorage storage_{dir_.path()};
  PackHeader header_;
  PackContents contents_;
  std::string stored_;
};

TEST_F(Pack, ComesBack) {
  const PackReader pack(storage_, header_.id, header_.repository);
  EXPECT_EQ(pack.header().sequence, 7u);
  ASSERT_EQ(pack.frames().size(), 2u);
  EXPECT_EQ(as_text(pack.read_frame(0).view()), "hello world");
  const auto blobs = pack.read_blobs();
  ASSERT_EQ(blobs.size(), 3u);
  EXPECT_EQ(blobs[1].logical_start, 6u);
  EXPECT_EQ(blobs[2].logical_start, 11u);
  EXPECT_EQ(pack.frame_at(10), 0u);
  EXPECT_EQ(pack.frame_at(11), 1u);
  EXPECT_THROW(pack.frame_at(22), CorruptError);
  EXPECT_EQ(contents_.file_bytes, stored_.size());
}

TEST_F(Pack, DetectsEveryFlippedByte) {
  for (size_t i = 0; i < stored_.size(); ++i) {
    std::string damaged = stored_;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    store(damaged);
    EXPECT_THROW(read(), CorruptError) << "byte " << i;
  }
}

TEST_F(Pack, DetectsEveryTruncation) {
  for (size_t size = 0; size < stored_.size(); ++size) {
    store(stored_.substr(0, size));
    EXPECT_THROW(read(), CorruptError) << "cut to " << size;
  }
}

TEST_F(Pack, RejectsAnotherPacksFile) {
  const PackId other = random_id<PackId>();
  storage_.put(pack_key(other), as_bytes(stored_));
  EXPECT_THROW(PackReader(storage_, other, header_.repository), CorruptError);
}

TEST_F(Pack, RejectsAnotherRepositorysPack) {
  EXPECT_THROW(PackReader(storage_, header_.id, random_id<RepositoryId>()), CorruptError);
}

TEST_F(Pack, UnfinishedWriterLeavesNothing) {
  const PackHeader header{random_id<PackId>(), header_.repository, 8};
  { PackWriter writer(storage_, header); }
  EXPECT_TRUE(std::filesystem::is_empty(paths_.tmp()));
  EXPECT_FALSE(std::filesystem::exists(paths_.pack(header.id)));
}

}  // namespace
}  // namespace tsmfs::index
