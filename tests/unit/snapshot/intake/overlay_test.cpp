#include "snapshot/intake/overlay.h"

#include <gtest/gtest.h>

#include "tests/support/point_tsm.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::snapshot {
namespace {

class OverlayTest : public ::testing::Test {
 protected:
  OverlayTest() {
    index::Repository::create({dir_ / "repo"});
    repository_ = index::Repository::open_writer({dir_ / "repo", "test"});
    writer_ = std::make_unique<index::RepositoryWriter>(*repository_, index::WriterOptions{});
  }
  TreeEntry file(const std::string& name, const ByteBuffer& content) {
    const auto stored = test::put(*writer_, content, index::FileKind::kTsm);
    writer_->flush();
    return {*Name::parse(name), EntryKind::kFile, 0644, {}, content.size(), 0, stored.id};
  }
  Overlay lay(const std::vector<TreeEntry>& earlier, const std::vector<TreeEntry>& received) {
    return lay_over(repository_->objects(), earlier, received);
  }
  static std::vector<std::string> names(const Overlay& overlay) {
    std::vector<std::string> out;
    for (const TreeEntry& entry : overlay.files) out.push_back(entry.name.text());
    return out;
  }

  test::TempDir dir_;
  std::unique_ptr<index::Repository> repository_;
  std::unique_ptr<index::RepositoryWriter> writer_;
};

TEST_F(OverlayTest, CompactedFilesGoWithTheirTombstones) {
  const auto a =
      file("000000001-000000001.tsm", test::make_point_tsm({{"k", test::times(0, 100)}}));
  const auto tombstone = file("000000001-000000001.tombstone", test::random_bytes(10, 1));
  const auto b =
      file("000000002-000000001.tsm", test::make_point_tsm({{"k", test::times(100, 200)}}));
  const auto merged =
      file("000000002-000000002.tsm", test::make_point_tsm({{"k", test::times(0, 200)}}));
  const Overlay overlay = lay({a, tombstone, b}, {merged});
  EXPECT_EQ(names(overlay), (std::vector<std::string>{"000000002-000000002.tsm"}));
  EXPECT_EQ(overlay.superseded.size(), 2u);
  EXPECT_EQ(overlay.carried_over.size(), 0u);
  EXPECT_TRUE(overlay.unexplained.empty());
}

TEST_F(OverlayTest, FilesThatNothingTouchedAreCarriedOver) {
  const auto old =
      file("000000001-000000004.tsm", test::make_point_tsm({{"k", test::times(0, 100)}}));
  const auto fresh =
      file("000000002-000000001.tsm", test::make_point_tsm({{"k", test::times(100, 200)}}));
  const Overlay overlay = lay({old}, {fresh});
  EXPECT_EQ(overlay.files.size(), 2u);
  EXPECT_EQ(overlay.carried_over.size(), 1u);
  EXPECT_TRUE(overlay.unexplained.empty());
}

TEST_F(OverlayTest, DeletedPointsMakeAnOldFileUnexplained) {
  const auto old =
      file("000000001-000000001.tsm",
           test::make_point_tsm({{"gone", test::times(0, 100)}, {"k", test::times(0, 100)}}));
  const auto merged =
      file("000000001-000000002.tsm", test::make_point_tsm({{"k", test::times(0, 100)}}));
  const Overlay overlay = lay({old}, {merged});
  EXPECT_EQ(overlay.files.size(), 2u);
  EXPECT_EQ(overlay.unexplained, (std::vector<std::string>{"000000001-000000001.tsm"}));
}

TEST_F(OverlayTest, LaterGenerationIsNotCoveredByAnEarlierOne) {
  const auto later =
      file("000000009-000000001.tsm", test::make_point_tsm({{"k", test::times(0, 50)}}, 1000, 9));
  const auto merged =
      file("000000005-000000002.tsm", test::make_point_tsm({{"k", test::times(0, 100)}}));
  EXPECT_EQ(lay({later}, {merged}).files.size(), 2u);
}

// As a merge of a restore leaves them.
TEST_F(OverlayTest, AFileUnderANewNameTakesThePlaceOfItsOldOne) {
  const auto content = test::make_point_tsm({{"k", test::times(0, 100)}});
  const auto old = file("000000001-000000001.tsm", content);
  const auto tombstone = file("000000001-000000001.tombstone", test::random_bytes(10, 1));
  const auto moved = file("000000003-000000001.tsm", content);
  const auto other =
      file("000000002-000000001.tsm", test::make_point_tsm({{"k", test::times(50, 200)}}));
  EXPECT_EQ(names(lay({old, tombstone}, {moved, other})),
            (std::vector<std::string>{"000000002-000000001.tsm", "000000003-000000001.tsm"}));
}

TEST_F(OverlayTest, SameNameIsReplaced) {
  const auto old = file("000000001-000000001.tombstone", test::random_bytes(10, 1));
  const auto fresh = file("000000001-000000001.tombstone", test::random_bytes(20, 2));
  const Overlay overlay = lay({old}, {fresh});
  ASSERT_EQ(overlay.files.size(), 1u);
  EXPECT_EQ(overlay.files[0].size, 20u);
}

}  // namespace
}  // namespace tsmfs::snapshot
