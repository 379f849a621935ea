// What a newer tsmfs has written into a repository, and its config does not say: it is named, and
// nobody takes it, or anything that it may need, out of the way.
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "index/base/error.h"
#include "index/format/pack_format.h"
#include "index/format/sealed_json.h"
#include "tests/unit/snapshot/upkeep/story.h"

namespace tsmfs::snapshot {
namespace {

using index::Codec, index::BlobKind, index::PackId;

// A pack's bytes, and the parts of it that a test changes.
class PackBytes {
 public:
  PackBytes(std::string bytes, const PackId& id) : bytes_(std::move(bytes)), id_(id) {}
  const std::string& bytes() const { return bytes_; }

  void set_version(uint32_t version) {
    store_le<uint32_t>(at(8), version);
    store_le<uint64_t>(at(56), index::checksum(view().first(56), 0));
  }
  void set_first_frame(BlobKind kind, Codec codec) {
    auto table = frames();
    table.front().kind = kind;
    const auto& entry = table.front();
    const ByteView frame =
        view().subspan(entry.file_offset, index::kFrameHeaderBytes + entry.stored_length);
    auto header = index::decode_frame(frame, id_, "a pack");
    header.kind = kind;
    header.codec = codec;
    index::encode_frame_header(header, frame.subspan(index::kFrameHeaderBytes), id_,
                               {at(entry.file_offset), index::kFrameHeaderBytes});
    set_frames(table);
  }

 private:
  std::byte* at(size_t offset) { return reinterpret_cast<std::byte*>(bytes_.data()) + offset; }
  ByteView view() const { return as_bytes(bytes_); }
  index::PackTrailer trailer() const {
    return index::decode_pack_trailer(view().last(index::kPackTrailerBytes), bytes_.size(), id_,
                                      "a pack");
  }
  std::vector<index::FrameEntry> frames() const {
    const auto end = trailer();
    return index::decode_frame_table(view().subspan(end.tables_offset, end.frame_table_length), end,
                                     id_, "a pack");
  }
  void set_frames(const std::vector<index::FrameEntry>& frames) {
    auto end = trailer();
    const ByteBuffer table = index::encode_frame_table(frames);
    ASSERT_EQ(table.size(), end.frame_table_length);
    std::memcpy(at(end.tables_offset), table.data(), table.size());
    end.frame_table_checksum = index::checksum(table, index::checksum_seed(id_));
    index::encode_pack_trailer(
        end, id_, {at(bytes_.size() - index::kPackTrailerBytes), index::kPackTrailerBytes});
  }

  std::string bytes_;
  PackId id_;
};

class NewerFormatTest : public ::testing::Test {
 protected:
  NewerFormatTest() {
    index::Repository::create({place.location()});
    for (uint64_t number = 1; number <= 3; ++number)
      write_snapshot(place.location(), number, acknowledged);
    forget_first(place.location(), acknowledged);
    repaired = place.storage().objects();
  }

  // Of the pack of the first snapshot, part of which the second needs.
  void change_pack(const std::function<void(PackBytes&)>& change) {
    const auto repository = index::Repository::open_reader({place.location()});
    repository->lookup().for_each_pack([&](index::PackNumber number, const auto& record) {
      if (number != 1) return;
      PackBytes pack(get(index::pack_key(record.id)), record.id);
      change(pack);
      put(index::pack_key(record.id), pack.bytes());
    });
  }
  void change_manifest() {
    const std::string key = place.storage().list(index::kSnapshotsFolder).front();
    auto manifest = index::unseal_json("manifest", get(key), "a manifest");
    manifest["version"] = 99;
    put(key, index::seal_json("manifest", manifest));
  }
  // None of the objects that are there goes, or changes.
  template <typename Work>
  void expect_left_alone(const Work& work) {
    const auto before = place.storage().objects();
    work();
    const auto after = place.storage().objects();
    for (const auto& [key, bytes] : before) {
      ASSERT_TRUE(after.contains(key)) << key;
      EXPECT_EQ(*after.at(key), *bytes) << key;
    }
  }
  template <typename Thrown>
  static void expect_named(const std::function<void()>& work) {
    try {
      work();
      FAIL() << "it went on";
    } catch (const Thrown& error) {
      EXPECT_NE(std::string(error.what()).find("by a newer tsmfs"), std::string::npos)
          << error.what();
    }
  }
  void expect_kept() {
    expect_left_alone([&] {
      const auto damages = story_damages(*index::Repository::open_reader({place.location()}));
      EXPECT_NE(::testing::PrintToString(damages).find("by a newer tsmfs"), std::string::npos);
    });
    expect_left_alone(
        [&] { expect_named<UsageError>([&] { repair_story(place.location(), {}); }); });
    expect_left_alone([&] { expect_named<Error>([&] { prune_story(place.location(), {}); }); });
    expect_left_alone([&] { index::Repository::rebuild_lookup({place.location(), "test"}); });
    expect_left_alone([&] { expect_named<Error>([&] { prune_story(place.location(), {}); }); });
    // As the newer tsmfs sees it.
    for (const auto& [key, bytes] : repaired) put(key, *bytes);
    index::Repository::rebuild_lookup({place.location(), "test"});
    expect_whole(place.location(), acknowledged);
  }

  std::string get(const std::string& key) { return *place.storage().get(key, uint64_t{1} << 30); }
  void put(const std::string& key, const std::string& bytes) {
    place.storage().replace(key, as_bytes(bytes));
  }

  test::MemoryPlace place;
  Acknowledged acknowledged;
  test::MemoryStorage::Objects repaired;
};

TEST_F(NewerFormatTest, AnotherKindOfBlobs) {
  change_pack([](PackBytes& pack) { pack.set_first_frame(BlobKind{4}, Codec::kZstd); });
  expect_kept();
}

TEST_F(NewerFormatTest, AnotherCodec) {
  change_pack([](PackBytes& pack) { pack.set_first_frame(BlobKind::kChunk, Codec{9}); });
  expect_kept();
}

TEST_F(NewerFormatTest, AnotherVersionOfPack) {
  change_pack([](PackBytes& pack) { pack.set_version(2); });
  expect_kept();
}

TEST_F(NewerFormatTest, AnotherVersionOfManifest) {
  change_manifest();
  expect_kept();
}

// Where the config says so, nobody comes as far as that.
TEST_F(NewerFormatTest, AFeatureKeepsAllOut) {
  change_pack([](PackBytes& pack) { pack.set_first_frame(BlobKind{4}, Codec::kZstd); });
  auto config = index::unseal_json("config", get(index::kConfigKey), "config");
  config["features"]["required"] = {"frames of a fourth kind"};
  put(index::kConfigKey, index::seal_json("config", config));
  expect_left_alone([&] {
    for (const std::function<void()>& work : std::vector<std::function<void()>>{
             [&] { index::Repository::open_reader({place.location()}); },
             [&] { prune_story(place.location(), {}); },
             [&] { repair_story(place.location(), {}); },
             [&] {
               index::Repository::rebuild_lookup({place.location(), "test"});
             }})
      EXPECT_THROW(work(), UsageError);
  });
}

}  // namespace
}  // namespace tsmfs::snapshot
