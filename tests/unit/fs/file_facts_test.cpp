#include "fs/file_facts.h"

#include <gtest/gtest.h>

#include "tests/support/history_fixture.h"
#include "tests/support/point_tsm.h"

namespace tsmfs::fs {
namespace {

constexpr int64_t kFirst = 1'454'349'756;  // 2016-02-01T18:02:36Z

class FileFactsTest : public ::testing::Test {
 protected:
  // Of the node at a path, as the kernel walks it.
  std::optional<std::string> fact(const std::string& path, const std::string& name) {
    Inode at;
    for (size_t begin = 1, end = 0; begin < path.size(); begin = end + 1) {
      end = std::min(path.find('/', begin), path.size());
      const auto found = made.history().lookup(at, path.substr(begin, end - begin));
      if (!found || !found->node) return "no such file";
      at = found->node->inode;
    }
    return FileFacts(made.history(), made.objects()).get(at, "user.tsmfs." + name);
  }

  const std::string kTsm = std::string(
      as_text(test::make_point_tsm({{"a", {0, 1'000'000'000}}, {"b", {60'000'000'000}}})));
  test::HistoryFixture made;
};

TEST_F(FileFactsTest, TellOfTheSnapshotTheContentAndThePoints) {
  const auto snapshot =
      made.add(kFirst, "server", {{"db/rp/1/x.tsm", kTsm}, {"db/rp/1/y.tsm", kTsm}});
  const std::string path = "/backups/2016-02-01T18:02:36Z/db/rp/1/x.tsm";
  EXPECT_EQ(fact(path, "snapshot"), snapshot->id.hex());
  EXPECT_EQ(fact(path, "server"), "server");
  EXPECT_EQ(fact(path, "time"), "2016-02-01T18:02:36.000000000Z");
  EXPECT_EQ(fact(path, "digest"), fact("/backups/2016-02-01T18:02:36Z/db/rp/1/y.tsm", "digest"));
  EXPECT_EQ(fact(path, "keys"), "2");
  EXPECT_EQ(fact(path, "min_time"), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(fact(path, "max_time"), "1970-01-01T00:01:00.000000000Z");
  EXPECT_EQ(fact("/backups/2016-02-01T18:02:36Z/db", "snapshot"), snapshot->id.hex());
}

TEST_F(FileFactsTest, AreNotThereWhereTheyHaveNoMeaning) {
  made.add(kFirst, "server", {{"db/rp/1/x.tsm", "no TSM file"}}, {{"meta.db", "m"}});
  const std::string path = "/backups/2016-02-01T18:02:36Z/db/rp/1/x.tsm";
  EXPECT_EQ(fact(path, "keys"), std::nullopt);
  EXPECT_EQ(fact(path, "nothing"), std::nullopt);
  EXPECT_EQ(fact("/backups/2016-02-01T18:02:36Z/db", "digest"), std::nullopt);
  EXPECT_EQ(fact("/backups", "snapshot"), std::nullopt);
  EXPECT_EQ(fact("/backups/latest", "snapshot"), std::nullopt);
  EXPECT_EQ(FileFacts(made.history(), made.objects()).get({}, "security.selinux"), std::nullopt);
}

TEST_F(FileFactsTest, AddedIsTheFirstOfTheUnbrokenRow) {
  const auto first =
      made.add(kFirst, "server", {{"db/rp/1/x.tsm", "same"}, {"db/rp/1/y.tsm", "old"}});
  made.add(kFirst + 1, "other", {{"db/rp/1/z.tsm", "z"}});
  const auto second =
      made.add(kFirst + 2, "server", {{"db/rp/1/x.tsm", "same"}, {"db/rp/1/y.tsm", "new"}});
  made.add(kFirst + 3, "server", {{"db/rp/1/x.tsm", "same"}, {"db/rp/1/y.tsm", "new"}});
  made.add(kFirst + 4, "server", {{"db/rp/1/y.tsm", "new"}});
  const auto back = made.add(kFirst + 5, "server", {{"db/rp/1/x.tsm", "same"}});
  EXPECT_EQ(fact("/backups/2016-02-01T18:02:39Z/db/rp/1/x.tsm", "added"), first->id.hex());
  EXPECT_EQ(fact("/backups/2016-02-01T18:02:39Z/db/rp/1/y.tsm", "added"), second->id.hex());
  EXPECT_EQ(fact("/changes/2016-02-01T18:02:38Z/db/rp/1/y.tsm", "added"), second->id.hex());
  EXPECT_EQ(fact("/hosts/server/backups/2016-02-01T18:02:41Z/db/rp/1/x.tsm", "added"),
            back->id.hex());
}

}  // namespace
}  // namespace tsmfs::fs
