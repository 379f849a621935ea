// Backups that are not as influxd's manual has them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "index/base/error.h"
#include "snapshot/import/import.h"
#include "tests/unit/import_fixture.h"

namespace tsmfs::snapshot {
namespace {

using Severity = Problem::Severity;

class ImportShapes : public ImportTest {};

TEST_F(ImportShapes, APortableRunOfEverythingStandsAlone) {
  const State first = {{kOne,
                        {{"000000001-000000001.tsm", points(0, 100)},
                         {"000000002-000000001.tsm", points(100, 200)}}},
                       {kTwo, {{"000000001-000000001.tsm", points(5, 50)}}}};
  const State second = {{kOne, {{"000000002-000000002.tsm", points(0, 150)}}},  // with a delete
                        {kTwo, first.at(kTwo)}};
  add_portable("20160201T180236Z", first, first);
  add_portable("20160202T180236Z", first, second);
  add_portable("20160203T180236Z", first, {{kTwo, first.at(kTwo)}}, true);
  const Result result = import();
  EXPECT_EQ(contents_of(result.manifest(1).data), flat(second));
  EXPECT_FALSE(result.manifest(1).partial);
  EXPECT_EQ(contents_of(result.manifest(2).data), flat({{kTwo, first.at(kTwo)}}));
  EXPECT_TRUE(result.manifest(2).partial);
  EXPECT_EQ(result.manifest(2).filter.databases, std::vector<std::string>{"my.db"});
}

TEST_F(ImportShapes, APortableIncrementIsLaidOverItsBase) {
  const State whole = {{kOne, {{"000000001-000000001.tsm", points(0, 100)}}},
                       {kTwo, {{"000000001-000000001.tsm", points(5, 50)}}}};
  const FileContents later = {{"000000002-000000001.tsm", points(100, 200)}};
  add_portable("20160201T180236Z", whole, whole);
  add_portable("20160202T180236Z", whole, {{kOne, later}, {kTwo, {}}});  // as -since leaves it
  const Result result = import();
  EXPECT_TRUE(result.complete);
  FileContents all = flat(whole);
  all.merge(flat({{kOne, later}}));
  EXPECT_EQ(contents_of(result.manifest(1).data), all);
  EXPECT_FALSE(result.manifest(1).partial);
  EXPECT_TRUE(has_problem(result.manifest(1).problems, Severity::kWarning, "", "laid over"));
}

TEST_F(ImportShapes, AnIncrementInADirectoryOfItsOwnIsLaidOverTheLastSnapshot) {
  const State whole = {{kOne, {{"000000001-000000001.tsm", points(0, 100)}}},
                       {kTwo, {{"000000001-000000001.tsm", points(5, 50)}}}};
  add_portable("20160201T180236Z", whole, whole);
  import();
  const FileContents later = {{"000000002-000000001.tsm", points(100, 200)}};
  for (const bool legacy : {false, true}) {
    source = dir / (legacy ? "legacy" : "portable");
    if (legacy)
      add_run(0, 1'000'000'000, whole, {{kOne, later}, {kTwo, {}}});
    else
      add_portable("20160202T180236Z", whole, {{kOne, later}, {kTwo, {}}});
    FileContents all = flat(whole);
    all.merge(flat({{kOne, later}}));
    EXPECT_EQ(contents_of(import().manifest(0).data), all) << legacy;
  }
}

TEST_F(ImportShapes, AnIncrementWithoutABaseIsPartial) {
  const State whole = {{kOne, {}}, {kTwo, {}}};
  add_portable("20160202T180236Z", whole,
               {{kOne, {{"000000002-000000001.tsm", points(0, 9)}}}, {kTwo, {}}});
  const Result result = import();
  EXPECT_TRUE(result.manifest(0).partial);
  EXPECT_TRUE(has_problem(result.manifest(0).problems, Severity::kWarning, "", "1 of its shards"));
}

TEST_F(ImportShapes, WhatTheMetastoreDoesNotKnowIsKept) {
  const State sent = {{kOne, {{"000000001-000000001.tsm", points(0, 9)}}},
                      {kTwo, {{"000000001-000000001.tsm", points(0, 9)}}}};
  add_run(0, 0, {{kOne, {}}}, sent);
  const Result result = import();
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(contents_of(result.manifest(0).data), flat(sent));
  EXPECT_TRUE(
      has_problem(result.manifest(0).problems, Severity::kWarning, kTwo.text(), "metastore"));
}

TEST_F(ImportShapes, AnArchiveIsOfTheShardThatIsInside) {
  const State state = {{kOne, {}}, {kTwo, {{"000000001-000000001.tsm", points(0, 9)}}}};
  add_run(0, 0, state, {});
  write_file(legacy_tar(kOne), tar(kTwo, state.at(kTwo)), kEpoch + 1);
  const Result result = import();
  EXPECT_EQ(contents_of(result.manifest(0).data), flat(state));
  EXPECT_TRUE(
      has_problem(result.manifest(0).problems, Severity::kWarning, kTwo.text(), "db.rp.00001.00"));
}

// filepath.Join() on Windows.
TEST_F(ImportShapes, BackslashesInATarAreSlashes) {
  const State state = {{kOne, {{"000000001-000000001.tsm", points(0, 9)}}}};
  add_run(0, 0, state, {});
  const auto windows =
      support::make_tar({{"db\\rp\\1\\000000001-000000001.tsm", state.at(kOne).begin()->second}},
                        support::TarForm::kPax);
  write_file(legacy_tar(kOne), windows, kEpoch + 1);
  const Result result = import();
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(contents_of(result.manifest(0).data), flat(state));
}

// influxd writes the manifest last.
TEST_F(ImportShapes, APortableBackupThatWasKilledGivesItsWholeArchives) {
  const State state = {{kOne, {{"000000001-000000001.tsm", points(0, 100)}}},
                       {kTwo, {{"000000001-000000001.tsm", points(5, 50)}}},
                       {{"my.db", "one.week", 30}, {}}};
  State sent = state;
  sent.erase({"my.db", "one.week", 30});
  add_portable("20160201T180236Z", state, sent);
  std::filesystem::remove(source / "20160201T180236Z.manifest");
  const auto cut = source / "20160201T180236Z.s20.tar.gz";
  std::filesystem::resize_file(cut, std::filesystem::file_size(cut) / 2);
  const ShardPath late{"my.db", "one.week", 40};
  write_file(source / "my.db.one.week.00040.00", tar(late, state.at(kOne)), 1'500'000'000);
  write_file(source / "my.db.one.week.00041.00.pending", "x", 1'500'000'000);
  const Result result = import();
  EXPECT_FALSE(result.complete);
  ASSERT_EQ(result.reports.size(), 1u);
  const Manifest& manifest = result.manifest(0);
  FileContents contents = contents_of(manifest.data);
  contents.erase(kTwo.text() + "/000000001-000000001.tsm");  // it may have come whole
  EXPECT_EQ(contents, flat({{kOne, state.at(kOne)}, {late, state.at(kOne)}}));
  EXPECT_TRUE(has_problem(manifest.problems, Severity::kIncomplete, "", ".manifest"));
  EXPECT_TRUE(has_problem(manifest.problems, Severity::kIncomplete, "", ".pending"));
  EXPECT_TRUE(has_problem(manifest.problems, Severity::kIncomplete, kTwo.text(), "s20.tar.gz"));
  EXPECT_TRUE(
      has_problem(manifest.problems, Severity::kIncomplete, "my.db/one.week/30", "not here"));
}

TEST_F(ImportShapes, APortableBackupOfOneShardHasItsNamesInside) {
  const State state = {{kTwo, {{"000000001-000000001.tsm", points(5, 50)}}}};
  add_portable("20160201T180236Z", state, state);
  const auto manifest = source / "20160201T180236Z.manifest";
  std::ifstream in(manifest);
  std::string json{std::istreambuf_iterator<char>(in), {}};
  for (const char* name : {"my.db", "one.week"})
    json.erase(json.find(name), std::string_view(name).size());
  write_file(manifest, json);
  const Result result = import();
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(contents_of(result.manifest(0).data), flat(state));
}

TEST_F(ImportShapes, AnArchiveThatNoManifestNamesIsTaken) {
  const State state = {{kOne, {{"000000001-000000001.tsm", points(0, 100)}}}};
  add_portable("20160201T180236Z", state, state);
  const FileContents files = {{"000000001-000000001.tsm", points(5, 50)}};
  write_file(source / "20160201T180236Z.s20.tar.gz", support::gzip(tar(kTwo, files)));
  const Result result = import();
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(contents_of(result.manifest(0).data), flat({{kOne, state.at(kOne)}, {kTwo, files}}));
}

TEST_F(ImportShapes, DirectoriesOfDifferentServersAreNotMixed) {
  const auto top = source;
  source = top / "one";
  add_run(0, 0, {{kOne, {}}}, {});
  source = top / "two";
  std::string other = make_meta_db({{kOne, {}}}, 1, {});
  const auto cluster = other.find("\x18\x4d");  // field 3, 77
  ASSERT_NE(cluster, std::string::npos);
  write_file(source / "meta.00", support::frame_metastore(other), kEpoch + 10);
  source = top;
  EXPECT_EQ(import().reports.size(), 2u);
  other[cluster + 1] = 0x4e;
  write_file(source / "two" / "meta.00", support::frame_metastore(other), kEpoch + 10);
  EXPECT_THROW(import(), UsageError);
}

// Two backups of one second, in directories of their own.
TEST_F(ImportShapes, ATimeThatIsTakenHidesNoOtherBackup) {
  const State one = {{kOne, {{"000000001-000000001.tsm", points(0, 100)}}}};
  const State two = {{kTwo, {{"000000001-000000001.tsm", points(5, 50)}}}};
  add_portable("20160201T180236Z", one, one);
  import();
  source = dir / "other";
  add_portable("20160201T180236Z", two, two);
  const Result result = import();
  EXPECT_FALSE(result.reports.at(0).already_there);
  EXPECT_EQ(contents_of(result.manifest(0).data), flat(two));
  std::filesystem::rename(dir / "source", dir / "moved");
  source = dir / "moved";
  EXPECT_TRUE(import().reports.at(0).already_there);
}

}  // namespace
}  // namespace tsmfs::snapshot
