#include "snapshot/import/import.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "index/base/error.h"
#include "tests/unit/import_fixture.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;

using Severity = Problem::Severity;

TEST_F(ImportTest, EachLegacyRunIsASnapshotOfItsOwnTime) {
  const State first = {{kOne, {{"000000001-000000001.tsm", points(0, 100)}}}};
  const State second = {
      {kOne,
       {{"000000001-000000001.tsm", points(0, 100)},
        {"000000002-000000001.tsm", points(100, 200)}}},
      {kTwo, {{"000000001-000000001.tsm", points(5, 50)}, {"000000001-000000001.tombstone", "t"}}}};
  add_run(0, 0, first, first);
  add_run(1, 100, second, second);
  const Result result = import();
  ASSERT_EQ(result.reports.size(), 2u);
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(contents_of(result.manifest(0).data), flat(first));
  EXPECT_EQ(contents_of(result.manifest(1).data), flat(second));
  EXPECT_EQ(result.manifest(0).time.unix_ns, kEpoch * kSecond);
  EXPECT_EQ(result.manifest(1).time.unix_ns, (kEpoch + 100) * kSecond);
  EXPECT_EQ(result.manifest(1).parent, result.manifest(0).id);
  EXPECT_EQ(result.manifest(1).databases, (std::vector<std::string>{"db", "my.db"}));
  EXPECT_EQ(contents_of(result.manifest(0).meta),
            (FileContents{{"meta.db", make_meta_db(first, 1, {})}, {"node.json", "null\n"}}));
  EXPECT_TRUE(result.manifest(1).problems.empty());
  EXPECT_TRUE(result.manifest(1).filter.is_everything());
  expect_sound();
}

TEST_F(ImportTest, IncrementsAreLaidOverTheirBase) {
  State metastore = {{kOne, {}}};
  FileContents all;
  for (unsigned run = 0; run < 25; ++run) {
    const std::string name = fmt::format("{:09}-000000001.tsm", run + 1);
    all[name] = points(run * 100, run * 100 + 100);
    add_run(run, run * 10, metastore, {{kOne, {{name, all[name]}}}});
  }
  const Result result = import();
  ASSERT_EQ(result.reports.size(), 25u);
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(contents_of(result.manifest(24).data), flat({{kOne, all}}));
  EXPECT_EQ(result.manifest(3).files, 4u);
  EXPECT_TRUE(result.manifest(24).problems.empty());
}

TEST_F(ImportTest, WhatACompactionSupersededGoes) {
  add_run(0, 0, {{kOne, {}}},
          {{kOne,
            {{"000000001-000000001.tsm", points(0, 100)},
             {"000000002-000000001.tsm", points(100, 200)}}}});
  const FileContents compacted = {{"000000002-000000002.tsm", points(0, 200)}};
  add_run(1, 10, {{kOne, {}}}, {{kOne, compacted}});
  EXPECT_EQ(contents_of(import().manifest(1).data), flat({{kOne, compacted}}));
}

TEST_F(ImportTest, WhatCannotBeShownSupersededStaysWithAWarning) {
  const std::string old = points(0, 100), newer = points(50, 200);
  add_run(0, 0, {{kOne, {}}}, {{kOne, {{"000000001-000000001.tsm", old}}}});
  add_run(1, 10, {{kOne, {}}}, {{kOne, {{"000000001-000000002.tsm", newer}}}});
  const Result result = import();
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.manifest(1).files, 2u);
  EXPECT_TRUE(
      has_problem(result.manifest(1).problems, Severity::kWarning, "db/rp/1", "may come back"));
}

TEST_F(ImportTest, AFullRunShowsWhichFilesWent) {
  const std::string first = points(0, 100), third = points(200, 300);
  add_run(0, 0, {{kOne, {}}},
          {{kOne,
            {{"000000001-000000001.tsm", first},
             {"000000002-000000001.tsm", points(100, 200)},
             {"000000003-000000001.tsm", third}}}});
  const FileContents left = {{"000000001-000000001.tsm", first},
                             {"000000003-000000001.tsm", third}};
  add_run(1, 10, {{kOne, {}}}, {{kOne, left}});
  const Result result = import();
  EXPECT_EQ(contents_of(result.manifest(1).data), flat({{kOne, left}}));
  EXPECT_TRUE(result.manifest(1).problems.empty());
}

TEST_F(ImportTest, NamesWithDotsAndADatabaseCalledMeta) {
  const State state = {{{"a.b", "c", 1}, {{"000000001-000000001.tsm", points(0, 10)}}},
                       {{"a", "b.c", 2}, {{"000000001-000000001.tsm", points(1, 10)}}},
                       {{"meta", "autogen", 3}, {{"000000001-000000001.tsm", points(2, 10)}}},
                       {{"empty.db", "r.p", 4}, {}}};
  add_run(0, 0, state, state);
  const Result result = import();
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(contents_of(result.manifest(0).data), flat(state));
  EXPECT_EQ(result.manifest(0).shards, 4u);  // the empty one too, by the metastore
}

TEST_F(ImportTest, AnArchiveOfOneShardOnlyHasItsNameInside) {
  add_run(0, 0, {{kTwo, {}}, {kOne, {}}}, {});
  const FileContents files = {{"000000001-000000001.tsm", points(0, 10)}};
  write_file(source / "..00020.00", tar(kTwo, files), kEpoch + 1);
  const Result result = import();
  EXPECT_EQ(contents_of(result.manifest(0).data), flat({{kTwo, files}}));
  EXPECT_EQ(result.manifest(0).filter.databases, std::vector<std::string>{"my.db"});
}

TEST_F(ImportTest, TheSameDirectoryAgainAddsWhatIsNew) {
  const FileContents base = {{"000000001-000000001.tsm", points(0, 100)}};
  add_run(0, 0, {{kOne, {}}}, {{kOne, base}});
  import();
  add_run(1, 10, {{kOne, {}}}, {{kOne, {{"000000002-000000001.tsm", points(100, 200)}}}});
  const Result again = import();
  ASSERT_EQ(again.reports.size(), 2u);
  EXPECT_TRUE(again.reports[0].already_there);
  EXPECT_FALSE(again.reports[1].already_there);
  EXPECT_EQ(again.manifest(1).files, 2u);  // laid over the base that was imported before
  EXPECT_EQ(again.manifest(1).parent, again.manifest(0).id);
  EXPECT_EQ(snapshots()->snapshots.size(), 2u);
}

TEST_F(ImportTest, WhatWasIncompleteIsReadAnewUntilItIsWhole) {
  const FileContents base = {{"000000001-000000001.tsm", points(0, 100)},
                             {"000000002-000000001.tsm", points(100, 200)}};
  const FileContents late = {{"000000003-000000001.tsm", points(200, 300)}};
  add_run(0, 0, {{kOne, {}}}, {{kOne, base}});
  add_run(1, 10, {{kOne, {}}}, {{kOne, late}});
  const auto damaged = source / fmt::format("{}.{}.{:05}.00", kOne.database, kOne.policy, 1);
  const std::string whole = tar(kOne, base);
  write_file(damaged, whole.substr(0, whole.size() / 2), kEpoch + 1);
  EXPECT_FALSE(import().complete);
  for (int again = 0; again < 2; ++again) {
    const Result same = import();
    EXPECT_FALSE(same.complete);
    ASSERT_EQ(same.reports.size(), 2u);
    for (const ImportReport& report : same.reports) EXPECT_TRUE(report.already_there);
    EXPECT_TRUE(same.manifest(0).incomplete());
    EXPECT_EQ(snapshots()->snapshots.size(), 2u);
  }
  write_file(damaged, whole, kEpoch + 1);
  const Result healed = import();
  EXPECT_TRUE(healed.complete);
  FileContents all = base;
  all.insert(late.begin(), late.end());
  EXPECT_EQ(contents_of(healed.manifest(0).data), flat({{kOne, base}}));
  EXPECT_EQ(contents_of(healed.manifest(1).data), flat({{kOne, all}}));
  EXPECT_EQ(snapshots()->snapshots.size(), 4u);
  const Result after = import();
  EXPECT_TRUE(after.complete);
  EXPECT_TRUE(after.reports.at(0).already_there && after.reports.at(1).already_there);
  EXPECT_EQ(after.manifest(0).id, healed.manifest(0).id);
  EXPECT_EQ(snapshots()->snapshots.size(), 4u);
  expect_sound();
}

TEST_F(ImportTest, AnotherServerInTheSameDirectoryStartsAnew) {
  add_run(0, 0, {{kOne, {}}}, {{kOne, {{"000000005-000000001.tsm", points(0, 100)}}}});
  const State state = {{kOne, {{"000000001-000000001.tsm", points(7, 9)}}}};
  std::string other = make_meta_db(state, 1, {});
  const auto cluster = other.find("\x18\x4d");  // field 3, 77
  ASSERT_NE(cluster, std::string::npos);
  other[cluster + 1] = 0x4e;
  write_file(source / "meta.01", support::frame_metastore(other), kEpoch + 10);
  write_file(legacy_tar(kOne), tar(kOne, state.at(kOne)), kEpoch + 11);
  EXPECT_EQ(contents_of(import().manifest(1).data), flat(state));
}

TEST_F(ImportTest, ShardsThatTheMetastoreForgotAreLeftOut) {
  const State both = {{kOne, {{"000000001-000000001.tsm", points(0, 9)}}},
                      {kTwo, {{"000000001-000000001.tsm", points(0, 9)}}}};
  add_run(0, 0, both, both);
  add_run(1, 10, {{kTwo, {}}}, {});
  EXPECT_EQ(import().manifest(1).shards, 1u);
}

TEST_F(ImportTest, AShardThatIsMissingIsNamed) {
  add_run(0, 0, {{kOne, {}}, {{"db", "rp", 7}, {}}},
          {{kOne, {{"000000001-000000001.tsm", points(0, 9)}}}});
  const Result result = import();
  EXPECT_FALSE(result.complete);
  EXPECT_TRUE(has_problem(result.manifest(0).problems, Severity::kIncomplete, "db/rp/7",
                          "in the metastore, but not here"));
  EXPECT_EQ(result.manifest(0).extent->came, 1u);
}

class DamagedArchive : public ImportTest {
 protected:
  DamagedArchive() {
    add_run(0, 0, state, state);
    file = source / "db.rp.00001.00";
    sound = tar(kOne, state.at(kOne));
  }
  const Manifest& import_damaged(const std::string& content) {
    write_file(file, content, kEpoch + 1);
    result = import();
    EXPECT_FALSE(result.complete);
    EXPECT_TRUE(has_problem(result.manifest(0).problems, Severity::kIncomplete, "db/rp/1",
                            "db.rp.00001.00"));
    return result.manifest(0);
  }
  const FileContents first = {{"000000001-000000001.tsm", points(0, 3000)}};
  const FileContents second = {{"000000002-000000001.tsm", points(3000, 6000)}};
  const State state = {{kOne, {*first.begin(), *second.begin()}},
                       {kTwo, {{"000000001-000000001.tsm", points(0, 9)}}}};
  State kept() const { return {{kOne, first}, {kTwo, state.at(kTwo)}}; }
  std::filesystem::path file;
  std::string sound;
  Result result;
};

TEST_F(DamagedArchive, CutInTheSecondFile) {
  EXPECT_EQ(contents_of(import_damaged(sound.substr(0, sound.size() - 3000)).data), flat(kept()));
}

TEST_F(DamagedArchive, CutBeforeTheTrailer) {
  EXPECT_EQ(contents_of(import_damaged(sound.substr(0, sound.size() - 1024)).data), flat(state));
}

TEST_F(DamagedArchive, GluedBehindAPartOfAnother) {
  const Manifest& manifest = import_damaged(sound.substr(0, sound.size() - 3000) + sound);
  EXPECT_EQ(contents_of(manifest.data), flat(kept()));  // the torn file is not
}

TEST_F(DamagedArchive, TwoWholeOnes) {
  EXPECT_EQ(contents_of(import_damaged(sound + sound).data), flat(state));
}

TEST_F(DamagedArchive, NothingAtAll) {
  write_file(file, "", kEpoch + 1);
  result = import();
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(contents_of(result.manifest(0).data), flat({{kTwo, state.at(kTwo)}}));
}

TEST_F(DamagedArchive, WhatComesAfterItIsIncompleteUntilAFullOne) {
  add_run(1, 100, state, {{kOne, {{"000000003-000000001.tsm", points(6000, 7000)}}}});
  add_run(2, 200, state, {{kOne, state.at(kOne)}});
  import_damaged(sound.substr(0, sound.size() - 3000));
  ASSERT_EQ(result.reports.size(), 3u);
  EXPECT_TRUE(result.manifest(1).incomplete());
  EXPECT_FALSE(result.manifest(2).incomplete());
}

TEST_F(DamagedArchive, AMetastoreThatIsCutHidesNoShard) {
  write_file(source / "meta.00", "cut", kEpoch);
  result = import();
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(contents_of(result.manifest(0).data), flat(state));
  EXPECT_TRUE(has_problem(result.manifest(0).problems, Severity::kIncomplete, "", "meta.00"));
}

TEST_F(ImportTest, EachPortableManifestIsASnapshot) {
  const State first = {{kOne, {{"000000001-000000001.tsm", points(0, 100)}}},
                       {kTwo, {{"000000001-000000001.tsm", points(5, 50)}}}};
  const State second = {{kTwo, {{"000000002-000000001.tsm", points(0, 100)}}}};
  add_portable("20160201T180236Z", first, first);
  add_portable("20160202T180236Z", first, second, true);
  const Result result = import();
  ASSERT_EQ(result.reports.size(), 2u);
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(contents_of(result.manifest(0).data), flat(first));
  FileContents both = flat({{kTwo, first.at(kTwo)}, {kOne, first.at(kOne)}});
  both.merge(flat(second));
  EXPECT_EQ(contents_of(result.manifest(1).data), both);  // it lacks a file of the first
  EXPECT_EQ(format_rfc3339(result.manifest(1).time), "2016-02-02T18:02:36Z");
  EXPECT_FALSE(result.manifest(0).partial);
  EXPECT_FALSE(result.manifest(1).partial);
  EXPECT_EQ(contents_of(result.manifest(0).meta),
            (FileContents{{"meta.db", make_meta_db(first, 1, {})}}));
  EXPECT_TRUE(import().reports[1].already_there);
}

TEST_F(ImportTest, PortableSizesMustBeThoseOfTheManifest) {
  const State state = {{kOne, {{"000000001-000000001.tsm", points(0, 100)}}}};
  add_portable("20160201T180236Z", state, state);
  const auto archive = source / "20160201T180236Z.s1.tar.gz";
  const std::string content = tar(kOne, state.at(kOne));
  write_file(archive, support::gzip(content.substr(0, content.size() - 512)));
  EXPECT_FALSE(import().complete);
  std::filesystem::remove(archive);
  const Result gone = import(Timestamp{kEpoch * kSecond});
  EXPECT_TRUE(
      has_problem(gone.manifest(0).problems, Severity::kIncomplete, "db/rp/1", "s1.tar.gz"));
}

TEST_F(ImportTest, WhatIsThereAlreadyGetsTheTagsThatAreNew) {
  add_run(0, 0, {}, {});
  const SnapshotPtr made = import().reports.at(0).snapshot;
  const auto found = read_backup_dirs(source);
  for (const bool is_new : {true, false}) {
    const Result again = with_target([&](const ImportOptions& options, ImportTarget& target) {
      ImportOptions tagged = options;
      tagged.tags = {"keep"};
      return import_backup_dirs(found, tagged, target, {});
    });
    EXPECT_TRUE(again.reports.at(0).already_there);
    EXPECT_EQ(again.reports.at(0).tagged, is_new);
  }
  EXPECT_EQ(snapshots()->snapshots.at(0)->tags, std::vector<std::string>{"keep"});
  EXPECT_EQ(snapshots()->snapshots.at(0)->id, made->id);
}

TEST_F(ImportTest, ATimeIsTakenWhicheverWayItsSnapshotCame) {
  const Timestamp time{77 * kSecond};
  add_run(0, 0, {}, {});
  const SnapshotPtr made = import(time).reports.at(0).snapshot;
  stdfs::remove_all(source);
  add_portable("20160101T000000Z", {}, {});
  const Result portable = import(time);
  EXPECT_TRUE(portable.reports.at(0).already_there);
  EXPECT_EQ(portable.reports.at(0).snapshot->id, made->id);
  EXPECT_EQ(snapshots()->snapshots.size(), 1u);
}

TEST_F(ImportTest, ATimeIsForASingleRun) {
  add_run(0, 0, {}, {});
  const Timestamp time{77 * kSecond};
  EXPECT_EQ(import(time).manifest(0).time, time);
  add_run(1, 10, {}, {});
  EXPECT_THROW(import(time), UsageError);
}

}  // namespace
}  // namespace tsmfs::snapshot
