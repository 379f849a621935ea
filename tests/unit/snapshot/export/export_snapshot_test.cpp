#include "snapshot/export/export_snapshot.h"

#include <gtest/gtest.h>

#include "index/base/error.h"
#include "tests/support/string_sink.h"
#include "tests/support/tar_reading.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;

class ExportSnapshotTest : public TwoBackupsTest {
 protected:
  ExportResult run(const ExportRequest& request) {
    const auto repository = index::Repository::open_reader({root});
    Catalog catalog(repository->storage());
    return export_snapshot(*repository, catalog, request, stop.get_token());
  }

  stdfs::path out = dir / "out";
};

TEST_F(ExportSnapshotTest, WritesTheChosenSnapshotAndSaysWhich) {
  ExportRequest request;
  request.which = older->short_id();
  request.target = out;
  const ExportResult result = run(request);
  EXPECT_EQ(result.chosen.snapshot->id, older->id);
  EXPECT_EQ(result.report.shards, 3u);
  EXPECT_EQ(result.report.files, older->files);
  EXPECT_FALSE(result.report.warnings.empty()) << "of shard 10";
  EXPECT_TRUE(result.complete());
  EXPECT_TRUE(stdfs::exists(out / "meta.00"));
}

TEST_F(ExportSnapshotTest, ATarGoesIntoASinkOrAFile) {
  ExportRequest request;
  request.form = ExportForm::kTar;
  request.target = out;
  run(request);
  support::StringSink sink;
  request.sink = &sink;
  run(request);
  EXPECT_EQ(sink.text, read_whole_file(out, 1 << 24));
}

TEST_F(ExportSnapshotTest, TheChoiceIsToldBeforeAnythingIsWritten) {
  ExportRequest request;
  request.target = out;
  request.on_chosen = [&](const ExportResult& result) {
    EXPECT_EQ(result.chosen.snapshot->id, newer->id);
    throw Cancelled();
  };
  EXPECT_THROW(run(request), Cancelled);
  EXPECT_FALSE(stdfs::exists(out));
}

TEST_F(ExportSnapshotTest, WhatASnapshotLacksMakesItIncomplete) {
  fake->answer_shard(1, {""});
  CaptureOptions how = options();
  how.server = "other";
  ASSERT_TRUE(back_up(how)->incomplete());
  ExportRequest request;
  request.server = "other";
  request.target = out;
  const ExportResult result = run(request);
  EXPECT_FALSE(result.complete());
  EXPECT_FALSE(result.chosen.notes.empty());
}

}  // namespace
}  // namespace tsmfs::snapshot
