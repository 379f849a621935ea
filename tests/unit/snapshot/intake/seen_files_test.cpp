#include "snapshot/intake/seen_files.h"

#include <gtest/gtest.h>

#include <fstream>

#include "index/base/error.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::snapshot {
namespace {

const FileStat kStat{1, 2, {3'000'000'000}, {4'000'000'000}};

index::FileId id_of(char c) {
  index::FileId id;
  id.bytes.fill(static_cast<std::byte>(c));
  return id;
}

SeenFiles two_files() {
  SeenFiles seen;
  seen.note("data/db/rp/1/b.tsm", kStat, id_of('b'));
  seen.note("data/db/rp/1/a.tsm", kStat, id_of('a'));
  return seen;
}

TEST(SeenFiles, FindAFileThatIsTheSame) {
  const SeenFiles seen = two_files();
  EXPECT_EQ(seen.find("data/db/rp/1/a.tsm", kStat), id_of('a'));
  EXPECT_EQ(seen.find("data/db/rp/1/b.tsm", kStat), id_of('b'));
  EXPECT_FALSE(seen.find("data/db/rp/1/c.tsm", kStat));
  for (const FileStat& other : {FileStat{9, 2, {3'000'000'000}, {4'000'000'000}},
                                FileStat{1, 9, {3'000'000'000}, {4'000'000'000}},
                                FileStat{1, 2, {3'000'000'001}, {4'000'000'000}},
                                FileStat{1, 2, {3'000'000'000}, {4'000'000'001}}})
    EXPECT_FALSE(seen.find("data/db/rp/1/a.tsm", other));
}

TEST(SeenFiles, ComeBackFromTheirFile) {
  const test::TempDir dir;
  const auto file = dir / "seen" / "db 1";
  EXPECT_EQ(SeenFiles::load(file).size(), 0u);
  two_files().save(dir / "temporary", file);
  EXPECT_EQ(SeenFiles::load(file).encode(), two_files().encode());
  std::ofstream(file, std::ios::app) << "x";
  EXPECT_EQ(SeenFiles::load(file).size(), 0u);
}

TEST(SeenFiles, RefuseEveryDamage) {
  const ByteBuffer sound = two_files().encode();
  for (size_t i = 0; i < sound.size(); ++i) {
    ByteBuffer damaged = sound;
    damaged[i] ^= std::byte{0x40};
    EXPECT_THROW(SeenFiles::decode(damaged, "x"), CorruptError) << i;
    EXPECT_THROW(SeenFiles::decode(ByteView(sound).first(i), "x"), CorruptError) << i;
  }
}

TEST(SeenFiles, AreNotTrustedRightAfterAChange) {
  EXPECT_FALSE(is_settled(kStat, {4'000'000'001}));
  EXPECT_FALSE(is_settled(kStat, {1}));
  EXPECT_TRUE(is_settled(kStat, {6'000'000'001}));
}

}  // namespace
}  // namespace tsmfs::snapshot
