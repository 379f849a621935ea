#include "snapshot/restore/shard_merge.h"

#include <fcntl.h>
#include <snappy.h>
#include <sys/stat.h>

#include "tests/support/other_user.h"
#include "tests/support/point_tsm.h"
#include "tests/unit/restorer_fixture.h"

namespace tsmfs::snapshot {
namespace {

constexpr char kTombstoneText[] = "cpu,host=a#!~#usage\n";

// Contents that can be told apart: a TSM file with one point of that time.
std::string tsm_at(int64_t time, const std::string& key = "cpu,host=a#!~#usage", uint8_t type = 0) {
  return std::string(as_text(test::make_point_tsm({{key, {time}}}, 1000, 0, type)));
}

// Shard 2 is in the target with some files, and in the snapshot with others.
class ShardMergeTest : public RestorerTest {
 protected:
  ShardMergeTest() {
    request_.merge = Prefer::kExisting;
    stdfs::create_directory(dir_ / "target" / "wal");
  }

  void there(const Files& files) {
    for (const auto& [name, content] : files) write_text(shard_ / name, content);
    write_text(metadir_ / "meta.db", hourly_metastore("db", {2}));
  }
  void stored(const Files& files) {
    publish_shards({{{"db", "autogen", 2}, files}}, hourly_metastore("db", {2}));
  }
  Files merged(Prefer prefer) {
    request_.merge = prefer;
    RestoreOptions options;
    options.verify = true;
    run(options);
    return contents_below(shard_);
  }

  const stdfs::path shard_ = datadir_ / "db/autogen/2";
};

TEST_F(ShardMergeTest, ThePreferredSideGetsTheLaterGenerations) {
  const Files old{{"000000001-000000002.tsm", tsm_at(1)}, {"000000007-000000001.tsm", tsm_at(2)}};
  const Files fresh{{"000000003-000000001.tsm", tsm_at(3)}, {"000000004-000000001.tsm", tsm_at(4)}};
  there(old);
  stored(fresh);
  EXPECT_EQ(merged(Prefer::kExisting), (Files{{"000000008-000000001.tsm", tsm_at(3)},
                                              {"000000009-000000001.tsm", tsm_at(4)},
                                              {"000000010-000000002.tsm", tsm_at(1)},
                                              {"000000011-000000001.tsm", tsm_at(2)}}));
  stdfs::remove_all(shard_);
  there(old);
  EXPECT_EQ(merged(Prefer::kSnapshot), (Files{{"000000001-000000002.tsm", tsm_at(1)},
                                              {"000000007-000000001.tsm", tsm_at(2)},
                                              {"000000008-000000001.tsm", tsm_at(3)},
                                              {"000000009-000000001.tsm", tsm_at(4)}}));
}

TEST_F(ShardMergeTest, AGenerationOfSeveralFilesStaysOneAndTombstonesGoWithTheirFiles) {
  there({{"000000002-000000001.tsm", tsm_at(1)}, {"000000002-000000001.tombstone", "old"}});
  stored({{"000000001-000000004.tsm", tsm_at(2)},
          {"000000001-000000005.tsm", tsm_at(3)},
          {"000000001-000000005.tombstone", kTombstoneText}});
  EXPECT_EQ(merged(Prefer::kSnapshot), (Files{{"000000002-000000001.tombstone", "old"},
                                              {"000000002-000000001.tsm", tsm_at(1)},
                                              {"000000003-000000004.tsm", tsm_at(2)},
                                              {"000000003-000000005.tombstone", kTombstoneText},
                                              {"000000003-000000005.tsm", tsm_at(3)}}));
}

TEST_F(ShardMergeTest, WhatIsThereIsNotAddedAgain) {
  const Files both{{"000000001-000000001.tsm", tsm_at(1)}, {"000000002-000000001.tsm", tsm_at(2)}};
  there(both);
  stored(both);
  for (const Prefer prefer : {Prefer::kExisting, Prefer::kSnapshot}) {
    request_.merge = prefer;
    EXPECT_EQ(plan_restore(*repository_, request_).skipped.size(), 1u);
    EXPECT_EQ(merged(prefer), both);
  }
  Files more = both;
  more["000000003-000000001.tsm"] = tsm_at(3);
  stored(more);
  EXPECT_EQ(merged(Prefer::kExisting).size(), 3u);
  EXPECT_EQ(merged(Prefer::kExisting).size(), 3u) << "again";
  const Files last = merged(Prefer::kSnapshot);
  EXPECT_EQ(last.size(), 3u) << "they have to come last, and are moved there";
  EXPECT_EQ(last.rbegin()->second, tsm_at(3));
  EXPECT_EQ(merged(Prefer::kSnapshot), last) << "again";
}

// A delete is a tombstone beside the file: the snapshot's file without it has the points.
TEST_F(ShardMergeTest, AFileWithAnotherTombstoneIsAnother) {
  there({{"000000001-000000001.tsm", tsm_at(1)}, {"000000001-000000001.tombstone", "gone"}});
  stored({{"000000001-000000001.tsm", tsm_at(1)}});
  EXPECT_EQ(merged(Prefer::kExisting), (Files{{"000000002-000000001.tsm", tsm_at(1)},
                                              {"000000003-000000001.tombstone", "gone"},
                                              {"000000003-000000001.tsm", tsm_at(1)}}));
}

TEST_F(ShardMergeTest, WhatInfluxdMakesAgainGoesAndOtherFilesStay) {
  there({{"000000001-000000001.tsm", tsm_at(1)},
         {"000000002-000000001.tsm.bad", "set aside"},
         {"000000003-000000001.tsm.tmp", "unfinished"},
         {"fields.idx", "stale"},
         {"fields.idxl", "stale"},
         {"index/0/L0-00000001.tsl", "stale"}});
  stored({{"000000001-000000001.tsm", tsm_at(2)}, {"notes", "of a person"}});
  const Files found = merged(Prefer::kSnapshot);
  EXPECT_EQ(found, (Files{{"000000001-000000001.tsm", tsm_at(1)},
                          {"000000002-000000001.tsm", tsm_at(2)},
                          {"000000002-000000001.tsm.bad", "set aside"}}));
}

TEST_F(ShardMergeTest, FilesUnderNewNamesAreNewToTheServersBackups) {
  there({{"000000001-000000001.tsm", tsm_at(1)}});
  const struct timespec old[2] = {{1000, 0}, {1000, 0}};
  ::utimensat(AT_FDCWD, (shard_ / "000000001-000000001.tsm").c_str(), old, 0);
  stored({{"000000001-000000001.tsm", tsm_at(2)}});
  const Timestamp before = now();
  merged(Prefer::kExisting);
  for (const char* name : {"000000002-000000001.tsm", "000000003-000000001.tsm"}) {
    struct stat status {};
    ::stat((shard_ / name).c_str(), &status);
    EXPECT_GE(status.st_mtim.tv_sec, before.unix_ns / 1'000'000'000 - 1) << name;
  }
}

TEST_F(ShardMergeTest, AFieldOfAnotherTypeIsRefused) {
  there({{"000000001-000000001.tsm", tsm_at(1, "a\\,b,host=x#!~#v", 0)}});
  stored({{"000000001-000000001.tsm", tsm_at(1, "a\\,b,host=y#!~#v", 1)}});
  const std::string said = refusal<UsageError>();
  EXPECT_NE(said.find("field 'v' of 'a\\x5c,b' is integer in the snapshot and float in "),
            std::string::npos)
      << said;
  stored({{"000000001-000000001.tsm", tsm_at(1, "a,host=y#!~#v", 1)}});
  EXPECT_EQ(merged(Prefer::kExisting).size(), 2u) << "another measurement";
}

TEST_F(ShardMergeTest, WhatInfluxdDoesNotOpenIsNotMergedWithWhatItDoes) {
  there({{"000000001-000000001.tsm", tsm_at(1)}});
  stored({{"000000001-000000001.tsm", "no TSM file"}});
  EXPECT_NE(refusal<UsageError>().find("is not a sound TSM file"), std::string::npos);
  stored({{"x.tsm", tsm_at(1)}});
  EXPECT_NE(refusal<UsageError>().find("is not named as TSM files are"), std::string::npos);
  stored({{"1-1.tsm", tsm_at(1)}});
  EXPECT_NE(refusal<UsageError>().find("nine digits"), std::string::npos);
  stored({{"000000001-000000001.tsm", tsm_at(2)}});
  there({{"000000002-000000001.tsm", "no TSM file"}});
  EXPECT_NE(refusal<UsageError>().find("is no sound TSM file"), std::string::npos);
  there({{"000000002-000000001.tsm", ""}});
  EXPECT_NE(refusal<UsageError>().find("is empty"), std::string::npos);
}

TEST_F(ShardMergeTest, WhatIsNoPlainFileIsRefused) {
  there({{"000000001-000000001.tsm", tsm_at(1)}});
  stored({{"000000001-000000001.tsm", tsm_at(2)}});
  stdfs::create_symlink("/etc/passwd", shard_ / "000000002-000000001.tsm");
  EXPECT_NE(refusal<UsageError>().find("is no plain file"), std::string::npos);
}

TEST_F(ShardMergeTest, WithoutAFreeGenerationItIsRefused) {
  there({{"999999999-000000001.tsm", tsm_at(1)}});
  stored({{"000000001-000000001.tsm", tsm_at(2)}});
  request_.merge = Prefer::kSnapshot;
  EXPECT_NE(refusal<UsageError>().find("no generation left"), std::string::npos);
}

TEST_F(ShardMergeTest, AFileThatAppearsMeanwhileIsNotLost) {
  there({{"000000001-000000001.tsm", tsm_at(1)}});
  stored({{"000000001-000000001.tsm", tsm_at(2)}});
  const RestorePlan plan = plan_restore(*repository_, request_);
  there({{"000000005-000000001.tsm", tsm_at(5)}});
  const Files before = contents_below(dir_ / "target");
  EXPECT_THROW(restore(*repository_, plan, request_, {}, {}), BusyError);
  EXPECT_EQ(contents_below(dir_ / "target"), before);
}

TEST_F(ShardMergeTest, RootMergesWithTheRightsOfTheOwner) {
  if (!test::is_root()) GTEST_SKIP() << "needs root";
  there({{"000000001-000000001.tsm", tsm_at(1)}});
  stored({{"000000001-000000001.tsm", tsm_at(2)}});
  test::give_tree_to(dir_ / "target", test::kOtherUser, test::kOtherGroup);
  ::chmod(dir_.path().c_str(), 0755);
  EXPECT_EQ(merged(Prefer::kExisting).size(), 2u);
  for (const auto& [name, content] : contents_below(shard_))
    EXPECT_EQ(test::own_status_of(shard_ / name).st_uid, test::kOtherUser) << name;
}

TEST_F(ShardMergeTest, AShardThatIsNotThereIsRestored) {
  there({{"000000001-000000001.tsm", tsm_at(1)}});
  publish([](SnapshotBuilder&) {}, kTombstoneText);
  const RestorePlan plan = run();
  ASSERT_EQ(plan.shards.size(), 2u);
  EXPECT_TRUE(plan.shards[0].kept);
  EXPECT_FALSE(plan.shards[1].kept);
  EXPECT_EQ(contents_below(datadir_ / "db/autogen/10").size(), 1u);
}

TEST_F(ShardMergeTest, WithoutMetastoresItIsRefused) {
  there({{"000000001-000000001.tsm", tsm_at(1)}});
  stored({{"000000001-000000001.tsm", tsm_at(2)}});
  request_.metadir.clear();
  EXPECT_NE(refusal<UsageError>().find("name --metadir too"), std::string::npos);
}

// What is dropped and written anew with another type may be in the log alone.
TEST_F(ShardMergeTest, AFieldOfAnotherTypeInTheLogIsRefused) {
  const auto log = [](uint8_t type) {
    const std::string key = "cpu,host=b#!~#usage";
    std::string entry{static_cast<char>(type), 0, static_cast<char>(key.size())};
    entry += key + std::string("\0\0\0\1", 4) + std::string(16, '\0');
    std::string packed;
    snappy::Compress(entry.data(), entry.size(), &packed);
    return std::string("\1\0\0\0", 4) + static_cast<char>(packed.size()) + packed;
  };
  there({{"000000001-000000001.tsm", tsm_at(1, "mem#!~#free")}});
  stored({{"000000001-000000001.tsm", tsm_at(2)}});
  const stdfs::path segment = dir_ / "target/wal/db/autogen/2/_00001.wal";
  write_text(segment, log(2));
  EXPECT_NE(refusal<UsageError>().find("is float in the snapshot and integer in "),
            std::string::npos);
  stdfs::remove_all(shard_);
  EXPECT_NE(refusal<UsageError>().find("is float in the snapshot and integer in "),
            std::string::npos)
      << "all of the shard is in its log";
  write_text(segment, log(1));
  EXPECT_EQ(merged(Prefer::kExisting).size(), 1u);
}

TEST_F(ShardMergeTest, ASideWithTwoTypesIsRefused) {
  there({{"000000001-000000001.tsm", tsm_at(1)},
         {"000000002-000000001.tsm", tsm_at(1, "cpu#!~#usage", 1)}});
  stored({{"000000001-000000001.tsm", tsm_at(2)}});
  EXPECT_NE(refusal<UsageError>().find("is float in the snapshot and float and integer in "),
            std::string::npos);
}

TEST_F(ShardMergeTest, AFileThatTheOwnerOfTheDirectoryDoesNotOwnIsRefused) {
  if (!test::is_root()) GTEST_SKIP() << "needs root";
  there({{"000000001-000000001.tsm", tsm_at(1)}});
  stored({{"000000001-000000001.tsm", tsm_at(2)}});
  test::give_tree_to(dir_ / "target", test::kOtherUser, test::kOtherGroup);
  test::give_to(shard_ / "000000001-000000001.tsm", 0, 0);
  ::chmod(dir_.path().c_str(), 0755);
  EXPECT_NE(refusal<UsageError>().find("belongs to user 0, not to 12345"), std::string::npos);
}

// One content under two names would be there twice.
TEST_F(ShardMergeTest, WhereTheSnapshotWinsWhatIsThereIsMovedAndNotCopied) {
  there({{"000000001-000000001.tsm", tsm_at(1)},
         {"000000001-000000001.tombstone", kTombstoneText},
         {"000000002-000000001.tsm", tsm_at(2)}});
  stored({{"000000001-000000001.tsm", tsm_at(1)},
          {"000000001-000000001.tombstone", kTombstoneText},
          {"000000002-000000001.tsm", tsm_at(3)}});
  EXPECT_EQ(merged(Prefer::kSnapshot), (Files{{"000000002-000000001.tsm", tsm_at(2)},
                                              {"000000003-000000001.tombstone", kTombstoneText},
                                              {"000000003-000000001.tsm", tsm_at(1)},
                                              {"000000004-000000001.tsm", tsm_at(3)}}));
}

TEST_F(ShardMergeTest, ALogThatIsThereIsSpokenOfWhenItWinsOverTheSnapshot) {
  there({{"000000001-000000001.tsm", tsm_at(1)}});
  stored({{"000000001-000000001.tsm", tsm_at(2)}});
  write_text(dir_ / "target/wal/db/autogen/2/_00001.wal", "points");
  request_.merge = Prefer::kSnapshot;
  const auto warnings = plan_restore(*repository_, request_).warnings;
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("whose points win over the snapshot's"), std::string::npos);
  EXPECT_TRUE(plan_restore(*repository_, request_).log_wins);
  request_.merge = Prefer::kExisting;
  EXPECT_TRUE(plan_restore(*repository_, request_).warnings.empty());
}

TEST_F(ShardMergeTest, ALogWinsAlsoWhereNoFileIsToBeAdded) {
  there({{"000000001-000000001.tsm", tsm_at(1)}});
  stored({{"000000001-000000001.tsm", tsm_at(1)}});
  write_text(dir_ / "target/wal/db/autogen/2/_00001.wal", "points");
  request_.merge = Prefer::kSnapshot;
  const RestorePlan plan = plan_restore(*repository_, request_);
  EXPECT_TRUE(plan.shards.empty());
  EXPECT_TRUE(plan.log_wins);
}

}  // namespace
}  // namespace tsmfs::snapshot
