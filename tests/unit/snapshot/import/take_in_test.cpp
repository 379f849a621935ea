#include "snapshot/import/take_in.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/snapshots_in.h"
#include "tests/support/store_fixture.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;

class TakeInTest : public testing::Test {
 protected:
  TakeInTest() {
    write("000000001-000000001.tsm", 1);
    request.repository = {dir / "repository", "import"};
    request.import.server = "db1";
    request.import.on_snapshot = [this](const ImportReport& report) { told.push_back(report); };
  }
  void write(const std::string& name, uint64_t seed) {
    const auto shard = dir / "data" / "db" / "rp" / "1";
    stdfs::create_directories(shard);
    const ByteBuffer content = test::make_tsm(5, 100, seed);
    std::ofstream(shard / name, std::ios::binary) << as_text(content);
  }
  TakenIn run() { return take_in(read_data_dir({dir / "data", {}, {}}), request, {}); }

  test::TempDir dir;
  TakeInRequest request;
  std::vector<ImportReport> told;
};

TEST_F(TakeInTest, MakesTheRepositoryAndTellsOfTheSnapshot) {
  int created = 0;
  request.on_created = [&] { ++created; };
  request.import.time = Timestamp{1'700'000'000'000'000'000};
  EXPECT_FALSE(run().time_taken);
  EXPECT_EQ(created, 1);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_FALSE(told[0].already_there);
  EXPECT_EQ(test::snapshots_in(dir / "repository")->snapshots.size(), 1u);
}

TEST_F(TakeInTest, ATimeThatIsTakenIsSaid) {
  request.import.time = Timestamp{1'700'000'000'000'000'000};
  EXPECT_TRUE(run().complete);
  write("000000002-000000001.tsm", 2);
  EXPECT_TRUE(run().time_taken);
  EXPECT_TRUE(told.back().time_taken);
  EXPECT_EQ(test::snapshots_in(dir / "repository")->snapshots.size(), 1u);
}

}  // namespace
}  // namespace tsmfs::snapshot
