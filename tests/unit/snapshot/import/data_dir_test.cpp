#include "snapshot/import/data_dir.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "index/base/error.h"
#include "snapshot/import/shard_dir.h"
#include "snapshot/stream/disk_file.h"
#include "tests/support/repository_paths.h"
#include "tests/unit/import_fixture.h"

namespace tsmfs::snapshot {
namespace {

using Severity = Problem::Severity;

const ShardPath kShardOne{"my.db", "one.week", 1}, kShardTwenty{"my.db", "one.week", 20};

class DataDirTest : public ImportTest {
 protected:
  DataDirTest() {
    for (const auto& [path, files] : state)
      for (const auto& [name, content] : files)
        write_file(places.data / path.text() / name, content, kEpoch);
    write_file(places.meta / "meta.db", make_meta_db(state, 1, {}), kEpoch + 5);
    write_file(places.wal / kShardOne.text() / "_00001.wal", std::string(5000, 'w'), kEpoch + 9);
    write_file(places.wal / kShardOne.text() / "_00002.wal", "", kEpoch);
  }
  Result import(const DataDirPlaces& from, std::optional<Timestamp> time = {}) {
    const DataDir found = read_data_dir(from);
    notes = found.notes;
    return with_target(
        [&](const ImportOptions& options, ImportTarget& target) {
          return import_data_dir(found, options, target, {});
        },
        time);
  }
  State state = {
      {kShardOne,
       {{"000000001-000000001.tsm", tsm(60, 1)}, {"000000001-000000001.tombstone", "t"}}},
      {kShardTwenty, {{"000000001-000000002.tsm", tsm(3000, 2)}}}};
  DataDirPlaces places{dir / "data", dir / "meta", dir / "wal"};
  std::vector<std::string> notes;
};

TEST_F(DataDirTest, WhatWasIncompleteIsReadAnewUntilItIsWhole) {
  const Timestamp time{kEpoch * kSecond};
  write_file(places.meta / "meta.db", "damaged", kEpoch + 5);
  EXPECT_FALSE(import(places, time).complete);
  const Result again = import(places, time);
  EXPECT_FALSE(again.complete);
  EXPECT_TRUE(again.reports.at(0).already_there);
  EXPECT_EQ(snapshots()->snapshots.size(), 1u);
  write_file(places.meta / "meta.db", make_meta_db(state, 1, {}), kEpoch + 5);
  const Result healed = import(places, time);
  EXPECT_TRUE(healed.complete);
  EXPECT_FALSE(healed.reports.at(0).already_there);
  EXPECT_TRUE(import(places, time).complete);
  EXPECT_EQ(snapshots()->snapshots.size(), 2u);
}

TEST_F(DataDirTest, BecomesASnapshotOfItsLastChange) {
  const Result result = import(places);
  EXPECT_TRUE(result.complete);
  const Manifest& manifest = result.manifest(0);
  EXPECT_EQ(contents_of(manifest.data), flat(state));
  EXPECT_EQ(contents_of(manifest.meta), (FileContents{{"meta.db", make_meta_db(state, 1, {})}}));
  ASSERT_TRUE(manifest.wal);
  EXPECT_EQ(contents_of(*manifest.wal),
            (FileContents{{"my.db/one.week/1/_00001.wal", std::string(5000, 'w')},
                          {"my.db/one.week/1/_00002.wal", ""}}));
  EXPECT_EQ(manifest.time.unix_ns, (kEpoch + 9) * kSecond);
  EXPECT_EQ(manifest.databases, std::vector<std::string>{"my.db"});
  EXPECT_TRUE(manifest.problems.empty());
  EXPECT_TRUE(notes.empty());
  expect_sound();
  EXPECT_TRUE(import(places).reports[0].already_there);
}

TEST_F(DataDirTest, StoredFilesCostNoSpace) {
  import(places);
  const Result again = import(places, Timestamp{(kEpoch + 100) * kSecond});
  EXPECT_EQ(again.manifest(0).new_bytes, 0u);
  EXPECT_EQ(again.manifest(0).files, 3u);
}

TEST_F(DataDirTest, WhatTheServerMakesAnewIsLeftOut) {
  write_file(places.data / kShardOne.text() / "fields.idx", "x");
  write_file(places.data / kShardOne.text() / "index/0/L0-1.tsl", "x");
  write_file(places.data / kShardOne.text() / "000000002-000000002.tsm.tmp", "x");
  write_file(places.data / "my.db/_series/00/0000", "x");
  EXPECT_EQ(contents_of(import(places).manifest(0).data), flat(state));
  EXPECT_TRUE(notes.empty());
}

TEST_F(DataDirTest, OddFilesAreLeftOutWithANote) {
  write_file(places.data / "README", "x");
  write_file(places.data / kShardOne.text() / "000000003-000000001.tsm.bad", "x");
  write_file(places.data / "my.db/one.week/notes/README", "x");
  const Result result = import(places);
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(contents_of(result.manifest(0).data), flat(state));
  EXPECT_EQ(notes.size(), 3u);
}

TEST_F(DataDirTest, LinksToShardsPoliciesAndDatabasesAreFollowed) {
  const auto elsewhere = dir / "elsewhere";
  std::filesystem::create_directories(elsewhere);
  std::filesystem::rename(places.data / kShardTwenty.text(), elsewhere / "20");
  std::filesystem::create_directory_symlink(elsewhere / "20", places.data / kShardTwenty.text());
  std::filesystem::create_directory_symlink("my.db", places.data / "twin");
  const Result result = import(places);
  EXPECT_TRUE(result.complete);
  for (const ShardPath& path : {kShardOne, kShardTwenty})
    state[{"twin", path.policy, path.shard}] = FileContents(state.at(path));
  EXPECT_EQ(contents_of(result.manifest(0).data), flat(state));
  EXPECT_TRUE(has_problem(result.manifest(0).problems, Severity::kWarning, kShardTwenty.text(),
                          (elsewhere / "20").string()));
  EXPECT_TRUE(has_problem(result.manifest(0).problems, Severity::kWarning, "twin", "followed"));
}

TEST_F(DataDirTest, LinksThatLeadNowhereRoundOrToFilesAreNamed) {
  const auto policy = places.data / "my.db/one.week";
  std::filesystem::create_directory_symlink(policy / "nothing", policy / "9");
  std::filesystem::create_directory_symlink(policy / "10", policy / "10");
  std::filesystem::create_symlink("/etc/passwd",
                                  places.data / kShardOne.text() / "000000009-000000001.tsm");
  const Result result = import(places);
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(contents_of(result.manifest(0).data), flat(state));
  const auto& problems = result.manifest(0).problems;
  EXPECT_TRUE(has_problem(problems, Severity::kIncomplete, "my.db/one.week/9", "nowhere"));
  EXPECT_TRUE(has_problem(problems, Severity::kIncomplete, "my.db/one.week/10", "cannot be"));
  EXPECT_TRUE(has_problem(problems, Severity::kIncomplete,
                          "my.db/one.week/1/000000009-000000001.tsm", "regular"));
}

TEST_F(DataDirTest, RootFollowsNoLinkToWhatItsOwnerDoesNotOwn) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root has the right to read what is another's";
  const auto link = places.data / "my.db/one.week/9";
  const auto others = dir / "others";
  write_file(others / "000000001-000000001.tsm", tsm(5, 5));
  std::filesystem::create_directory_symlink(others, link);
  ASSERT_EQ(::lchown(link.c_str(), 12345, 12345), 0);
  EXPECT_TRUE(has_problem(import(places).manifest(0).problems, Severity::kIncomplete,
                          "my.db/one.week/9", "root does not follow"));
  ASSERT_EQ(::chown(others.c_str(), 12345, 12345), 0);
  EXPECT_TRUE(has_problem(import(places, Timestamp{1}).manifest(0).problems, Severity::kWarning,
                          "my.db/one.week/9", "followed"));
}

TEST_F(DataDirTest, DataFilesThatLieInNoShardAreNamed) {
  write_file(places.data / "my.db/one.week/1.old/000000001-000000001.tsm", "x", kEpoch);
  write_file(places.data / "my.db/one.week/007/000000001-000000001.tsm", "x", kEpoch);
  write_file(places.data / "my.db/000000001-000000001.tsm", "x", kEpoch);
  const Result result = import(places);
  EXPECT_FALSE(result.complete);
  EXPECT_TRUE(has_problem(result.manifest(0).problems, Severity::kIncomplete,
                          "my.db/one.week/1.old", "1 files"));
  EXPECT_TRUE(has_problem(result.manifest(0).problems, Severity::kIncomplete, "my.db/one.week/007",
                          "1 files"));
  EXPECT_TRUE(has_problem(result.manifest(0).problems, Severity::kIncomplete,
                          "my.db/000000001-000000001.tsm", "no shard"));
}

class WrongDirTest : public DataDirTest {
 protected:
  // The advice that a refusal gives.
  static std::string advice(const DataDirPlaces& wrong) {
    try {
      read_data_dir(wrong);
    } catch (const UsageError& error) {
      return error.advice();
    }
    ADD_FAILURE() << "not refused";
    return {};
  }
  std::string data() const { return "--data-dir '" + places.data.string() + "'"; }
  std::string wal() const { return "--wal-dir '" + places.wal.string() + "'"; }
};

TEST_F(WrongDirTest, TheRightPlaceIsNamed) {
  for (const auto& wrong : {places.data / "my.db", places.data / "my.db/one.week",
                            places.data / kShardOne.text(), places.data.parent_path(), places.wal,
                            places.data / kShardOne.text() / "000000001-000000001.tsm"})
    EXPECT_NE(advice({wrong, {}, {}}).find(data()), std::string::npos) << wrong;
  for (const auto& wrong :
       {places.wal / "my.db", places.wal / kShardOne.text(), places.wal.parent_path(), places.data,
        places.wal / kShardOne.text() / "_00001.wal"})
    EXPECT_NE(advice({places.data, {}, wrong}).find(wal()), std::string::npos) << wrong;
  EXPECT_NE(advice({places.data, places.meta.parent_path(), {}}).find(places.meta.string()),
            std::string::npos);
  EXPECT_NE(advice({places.data, places.meta / "meta.db", {}}).find("meta.db is in"),
            std::string::npos);
  EXPECT_NE(advice({places.data, places.wal, {}}).find("--make-metastore"), std::string::npos);
}

TEST_F(WrongDirTest, AnEmptyWalDirectoryIsOne) {
  std::filesystem::create_directories(dir / "empty");
  EXPECT_TRUE(read_data_dir({places.data, places.meta, dir / "empty"}).wal_shards.empty());
}

// A data directory with one shard, of which the files of long names cannot be looked at.
class LongDataDirTest : public DataDirTest {
 protected:
  LongDataDirTest() {
    write_in(shard, "1.tsm", tsm(60, 1));
    write_in(shard, kUnseen, tsm(60, 2));
  }
  const std::string kUnseen = "000000002-000000001.tsm";
  DataDirPlaces far{make_long_path(dir / "far", "/" + kShardOne.text()), {}, {}};
  std::filesystem::path shard = far.data / kShardOne.text();
};

TEST_F(LongDataDirTest, AFileThatCannotBeLookedAtMakesTheImportIncomplete) {
  const Result result = import(far);
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(contents_of(result.manifest(0).data),
            (FileContents{{kShardOne.text() + "/1.tsm", tsm(60, 1)}}));
  EXPECT_TRUE(has_problem(result.manifest(0).problems, Severity::kIncomplete,
                          kShardOne.text() + "/" + kUnseen, "cannot be looked at"));
}

TEST_F(LongDataDirTest, AnImportWhoseLastChangeIsUnknownIsNotThereAlready) {
  const Fd parent = open_file(shard, O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(::renameat(parent.number(), kUnseen.c_str(), parent.number(), "x"), 0);
  EXPECT_TRUE(import(far).complete);
  EXPECT_TRUE(import(far).reports[0].already_there);
  ASSERT_EQ(::renameat(parent.number(), "x", parent.number(), kUnseen.c_str()), 0);
  EXPECT_THROW(import(far), Error);
}

TEST_F(DataDirTest, ADirectoryOfWhichNothingCanBeLookedAtDoesNotHoldNothing) {
  const auto far = make_long_path(dir / "far", "");
  const Fd parent = open_file(far, O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(::mkdirat(parent.number(), "a-long-database", 0700), 0);
  EXPECT_THROW(read_data_dir({far, {}, {}}), ProtocolError);
}

TEST_F(DataDirTest, ADirectoryThatCannotBeLookedAtIsNotAbsent) {
  const auto loop = dir / "loop";
  std::filesystem::create_symlink(loop, loop);
  EXPECT_THROW(read_data_dir({loop, {}, {}}), IoError);
  EXPECT_THROW(read_data_dir({places.data, places.meta, loop}), IoError);
  std::filesystem::create_symlink(loop, places.meta / "node.json");
  const Result result = import(places);
  EXPECT_FALSE(result.complete);
  EXPECT_TRUE(has_problem(result.manifest(0).problems, Severity::kIncomplete, "", "node.json"));
}

TEST_F(DataDirTest, MetastoreAndWalMayBeAbsent) {
  const Result result = import({places.data, {}, {}});
  EXPECT_TRUE(result.complete);
  EXPECT_FALSE(result.manifest(0).wal);
  EXPECT_TRUE(has_problem(result.manifest(0).problems, Severity::kWarning, "", "--meta-dir"));
  EXPECT_TRUE(has_problem(result.manifest(0).problems, Severity::kWarning, "", "--wal-dir"));
  EXPECT_EQ(result.manifest(0).databases, std::vector<std::string>{"my.db"});
}

TEST_F(DataDirTest, AMetastoreThatIsNoneIsSaid) {
  write_file(places.meta / "meta.db", "nonsense");
  EXPECT_TRUE(has_problem(import(places).manifest(0).problems, Severity::kIncomplete, "",
                          "not a sound metastore"));
}

TEST_F(DataDirTest, AFileThatIsNotSoundIsStoredAndSaid) {
  write_file(places.data / kShardOne.text() / "000000001-000000001.tsm", "not a TSM file");
  const Result result = import(places);
  EXPECT_TRUE(result.complete);
  EXPECT_TRUE(has_problem(result.manifest(0).problems, Severity::kWarning,
                          "my.db/one.week/1/000000001-000000001.tsm", "not a sound TSM file"));
}

// That a file is not read shows in a list that tells a wrong content of it.
TEST_F(DataDirTest, ReadsOnlyWhatChangedSinceItWasSeen) {
  import(places);
  const auto seen_at = test::RepositoryPaths(root).seen() / "server";
  EXPECT_EQ(SeenFiles::load(seen_at).size(), 0u);  // all have just been written
  const std::string one = kShardOne.text() + "/000000001-000000001.tsm",
                    tombstone = kShardOne.text() + "/000000001-000000001.tombstone";
  const auto stat_of = [&](const std::string& file) {
    struct stat status {};
    EXPECT_EQ(::stat((places.data / file).c_str(), &status), 0);
    const auto ns = [](const timespec& t) { return Timestamp{t.tv_sec * kSecond + t.tv_nsec}; };
    return FileStat{status.st_ino, static_cast<uint64_t>(status.st_size), ns(status.st_mtim),
                    ns(status.st_ctim)};
  };
  with_target([&](const ImportOptions&, ImportTarget& target) {
    const std::string other(state[kShardOne]["000000001-000000001.tsm"].size(), 'o');
    const auto id = target.writer.digest_key().digest<index::FileId>(as_bytes(other));
    index::MemorySource content_of_other(as_bytes(other));
    target.writer.put_file(content_of_other, id, index::FileKind::kTsm, {});
    target.writer.flush();
    index::FileId unknown;
    unknown.bytes.fill(std::byte{7});
    SeenFiles seen;
    seen.note("data/" + one, stat_of(one), id);
    seen.note("data/" + tombstone, stat_of(tombstone), unknown);
    seen.save(dir / "temporary", seen_at);
    return true;
  });
  auto content = contents_of(import(places, Timestamp{1}).manifest(0).data);
  EXPECT_EQ(content[one][0], 'o');
  EXPECT_EQ(content[tombstone], "t");  // not stored any more, so it was read
  with_target([&](ImportOptions options, ImportTarget& target) {
    options.reread = true;
    options.time = Timestamp{2};
    options.on_snapshot = [&](const ImportReport& r) { content = contents_of(r.snapshot->data); };
    return import_data_dir(read_data_dir(places), options, target, {});
  });
  EXPECT_EQ(content, flat(state));
}

TEST_F(DataDirTest, WhatGoesOnChangingIsSaid) {
  const auto file = places.data / kShardOne.text() / "000000002-000000001.tsm";
  write_file(file, "0");
  const DataDir found = read_data_dir(places);
  std::jthread busy([&](const std::stop_token& end) {
    for (int64_t i = 0; !end.stop_requested(); ++i) write_file(file, std::to_string(i), i);
  });
  // A pass may fall between two changes; not for long.
  bool seen = false;
  SeenByImports files;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!seen && std::chrono::steady_clock::now() < deadline)
    seen = with_target([&](const ImportOptions&, ImportTarget& target) {
             ShardReader reader(target.writer, target.repository.local().tmp(), {});
             const DirShard read =
                 read_shard_dir(found.shards.at(kShardOne), kShardOne, DirKind::kData, reader,
                                target.writer.digest_key(), files, {}, 2);
             return std::any_of(
                 read.problems.begin(), read.problems.end(),
                 [](const Problem& problem) { return problem.severity == Severity::kIncomplete; });
           }).complete;
  EXPECT_TRUE(seen);
}

// A server's flush: what was in the WAL is in a TSM file, and the segment is gone.
TEST_F(DataDirTest, WhatIsFlushedWhileItIsReadIsInTheSnapshot) {
  const DataDir found = read_data_dir(places);
  const auto segment = places.wal / kShardOne.text() / "_00001.wal";
  std::filesystem::remove(segment);
  const std::string flushed = tsm(10, 7);
  write_file(places.data / kShardOne.text() / "000000007-000000001.tsm", flushed);
  const ShardPath late{"my.db", "one.week", 30};
  write_file(places.data / late.text() / "000000001-000000001.tsm", flushed);
  std::filesystem::remove_all(places.data / kShardTwenty.text());
  State after = state;
  after.erase(kShardTwenty);
  after[late] = {};
  write_file(places.meta / "meta.db", make_meta_db(after, 2, {}), kEpoch + 6);
  const Result result = with_target([&](const ImportOptions& options, ImportTarget& target) {
    return import_data_dir(found, options, target, {});
  });
  EXPECT_TRUE(result.complete);
  state.erase(kShardTwenty);
  state[kShardOne]["000000007-000000001.tsm"] = flushed;
  state[late] = {{"000000001-000000001.tsm", flushed}};
  EXPECT_EQ(contents_of(result.manifest(0).data), flat(state));
  EXPECT_TRUE(
      has_problem(result.manifest(0).problems, Severity::kWarning, kShardTwenty.text(), "removed"));
  EXPECT_TRUE(has_problem(result.manifest(0).problems, Severity::kWarning, "", "server seems"));
}

TEST_F(DataDirTest, AFileThatShrinksWhileItIsReadIsNoticed) {
  const auto file = dir / "file";
  write_file(file, std::string(3 << 20, 'x'));
  FileSource opened(file);
  EXPECT_EQ(opened.view(1 << 20, 10).size(), 10u);
  std::filesystem::resize_file(file, 2 << 20);
  EXPECT_THROW(opened.view(2 << 20, 10), CorruptError);
}

TEST_F(DataDirTest, ADirectoryWithoutShardsIsRefused) {
  EXPECT_THROW(read_data_dir({dir / "nowhere", {}, {}}), UsageError);
  EXPECT_THROW(read_data_dir({places.meta, {}, {}}), UsageError);
  EXPECT_THROW(read_data_dir({places.data, dir / "nowhere", {}}), UsageError);
}

}  // namespace
}  // namespace tsmfs::snapshot
