#include <gtest/gtest.h>

#include "snapshot/import/data_dir.h"
#include "snapshot/influxdb/metastore.h"
#include "tests/support/point_tsm.h"
#include "tests/unit/import_fixture.h"

namespace tsmfs::snapshot {
namespace {

using Severity = Problem::Severity;

const ShardPath kFirst{"my.db", "one.week", 1}, kLater{"my.db", "one.week", 20};

// What import_data_dir() makes of a directory without its metastore.
class DerivedDataDirTest : public ImportTest {
 protected:
  DerivedDataDirTest() {
    const auto put = [&](const ShardPath& path, const std::string& name, int64_t seconds) {
      const auto tsm = test::make_point_tsm({{"cpu#!~#usage", {seconds * kSecond}}});
      write_file(places.data / path.text() / name, std::string(as_text(tsm)), kEpoch);
    };
    put(kFirst, "000000001-000000001.tsm", 1'709'632'800);  // 2024-03-05T10:00:00Z
    put(kFirst, "000000002-000000001.tsm", 1'709'690'400);  // 2024-03-06T02:00:00Z
    put(kLater, "000000001-000000001.tsm", 1'710'000'000);  // 2024-03-09T16:00:00Z
    write_file(places.wal / kFirst.text() / "_00001.wal", std::string(5000, 'w'), kEpoch + 9);
  }
  Result derive(std::optional<int64_t> duration_ns) {
    const DataDir found = read_data_dir(places);
    return with_target([&](ImportOptions options, ImportTarget& target) {
      options.make_metastore = true;
      options.shard_duration_ns = duration_ns;
      return import_data_dir(found, options, target, {});
    });
  }
  DataDirPlaces places{dir / "data", {}, dir / "wal"};

  Metastore metastore_of(const Manifest& manifest) {
    return Metastore::parse(as_bytes(contents_of(manifest.meta).at("meta.db")), "meta.db");
  }
};

TEST_F(DerivedDataDirTest, ItsMetastoreKnowsTheShardsByTheirPoints) {
  const Result result = derive(std::nullopt);
  EXPECT_TRUE(result.complete);
  const Manifest& manifest = result.manifest(0);
  const Metastore metastore = metastore_of(manifest);
  EXPECT_EQ(format_rfc3339(metastore.find_shard(1)->group->start), "2024-03-04T00:00:00Z");
  EXPECT_EQ(format_rfc3339(metastore.find_shard(20)->group->start), "2024-03-07T00:00:00Z");
  EXPECT_TRUE(metastore.has_shard(kLater));
  EXPECT_EQ(manifest.databases, std::vector<std::string>{"my.db"});
  EXPECT_FALSE(manifest.extent);
  EXPECT_TRUE(has_problem(manifest.problems, Severity::kWarning, "", "was derived"));
  for (const Problem& problem : manifest.problems)
    EXPECT_EQ(problem.what.find("--meta-dir"), std::string::npos) << problem.what;
  EXPECT_TRUE(has_problem(manifest.problems, Severity::kWarning, kFirst.text() + "/_00001.wal",
                          "cannot be read to its end"));
}

TEST_F(DerivedDataDirTest, TheSameAgainIsThereAndAnotherDurationIsNot) {
  const DataDir bare = read_data_dir(places);
  with_target([&](const ImportOptions& options, ImportTarget& target) {
    return import_data_dir(bare, options, target, {});
  });
  EXPECT_FALSE(derive(std::nullopt).reports.at(0).already_there);
  EXPECT_TRUE(derive(std::nullopt).reports.at(0).already_there);
  const Result wider = derive(int64_t{30 * 24 * 3600} * kSecond);
  EXPECT_FALSE(wider.reports.at(0).already_there);
  EXPECT_EQ(metastore_of(wider.manifest(0)).databases()[0].policies[0].shard_group_duration_ns,
            int64_t{30 * 24 * 3600} * kSecond);
}

TEST_F(DerivedDataDirTest, AFileWhoseTimesCannotBeReadIsNamed) {
  write_file(places.data / kFirst.text() / "000000003-000000001.tsm", "not a TSM file");
  const Result result = derive(std::nullopt);
  EXPECT_TRUE(metastore_of(result.manifest(0)).has_shard(kFirst));
  EXPECT_TRUE(has_problem(result.manifest(0).problems, Severity::kWarning,
                          kFirst.text() + "/000000003-000000001.tsm", "times of its points"));
}

}  // namespace
}  // namespace tsmfs::snapshot
