#include "snapshot/points/stored_points.h"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "index/base/error.h"
#include "tests/unit/points_fixture.h"

namespace tsmfs::test {
namespace {

using snapshot::FieldPoints;
using snapshot::StoredPoints;

const std::string kCpu = "cpu,host=a#!~#usage";
constexpr const char* kFirst = "000000001-000000001.tsm";
constexpr const char* kSecond = "000000002-000000001.tsm";
constexpr const char* kFirstTombstone = "000000001-000000001.tombstone";
constexpr const char* kSecondTombstone = "000000002-000000001.tombstone";

FieldPoints field(const StoredPoints& points, const std::string& measurement = "cpu",
                  const std::string& name = "usage") {
  const auto& measurements = points.policies.at({"db", "rp"}).measurements;
  const auto found = measurements.find(measurement);
  if (found == measurements.end()) return {};
  const auto of_field = found->second.find(name);
  return of_field == found->second.end() ? FieldPoints() : of_field->second;
}
FieldPoints range(uint64_t count, int64_t first_ns, int64_t last_ns) {
  return {count, first_ns, last_ns, 0};
}
std::vector<int64_t> times_from(int64_t first, size_t count) {
  std::vector<int64_t> times(count);
  std::iota(times.begin(), times.end(), first);
  return times;
}
std::string problems_of(const StoredPoints& points) {
  std::string all;
  for (const auto& problem : points.problems) all += problem.path + ": " + problem.what + "\n";
  return all;
}
// Of a shard of these files.
StoredPoints count_of(const PointsFixture::Files& data, const PointsFixture::Files& log = {}) {
  PointsFixture store;
  if (!data.empty()) store.add_data("db/rp/1", data);
  if (!log.empty()) store.add_log("db/rp/1", log);
  return store.count();
}

TEST(StoredPoints, OfAFileAreThoseOfItsBlocks) {
  const StoredPoints points = count_of({{kFirst, point_tsm({{kCpu, times_from(-5, 2500)},
                                                            {"cpu,host=b#!~#usage", {9000}},
                                                            {"cpu,host=b#!~#idle", {1, 2}}})}});
  EXPECT_EQ(problems_of(points), "");
  EXPECT_EQ(field(points), range(2501, -5, 9000));
  EXPECT_EQ(field(points, "cpu", "idle"), range(2, 1, 2));
  EXPECT_EQ(points.policies.at({"db", "rp"}).series, 2u);
}

TEST(StoredPoints, OverwrittenOnesCountOnce) {
  const StoredPoints points = count_of({{kFirst, point_tsm({{kCpu, {10, 20, 30, 40, 50}}}, 2)},
                                        {kSecond, point_tsm({{kCpu, {20, 25, 50, 60}}}, 3)},
                                        {"000000003-000000001.tsm", point_tsm({{kCpu, {5, 70}}})},
                                        {"000000003-000000001.tsm.tmp", "no data"}});
  EXPECT_EQ(problems_of(points), "");
  EXPECT_EQ(field(points), range(9, 5, 70));
}

TEST(StoredPoints, ManyOverlapsAreAsASetOfTimes) {
  PointsFixture::Files files;
  std::set<int64_t> expected;
  for (int64_t number = 1; number <= 12; ++number) {
    std::vector<int64_t> times;
    for (int64_t i = 0; i < 300; ++i) times.push_back(number * 7 + i * (1 + number % 5));
    expected.insert(times.begin(), times.end());
    files[fmt::format("{:09}-000000001.tsm", number)] =
        point_tsm({{kCpu, times}}, static_cast<size_t>(10 + number));
  }
  const StoredPoints points = count_of(files);
  EXPECT_EQ(problems_of(points), "");
  EXPECT_EQ(field(points), range(expected.size(), *expected.begin(), *expected.rbegin()));
}

TEST(StoredPoints, TombstonesOfAllVersionsDelete) {
  const std::string other = "cpu,host=b#!~#usage";
  const std::string tsm = point_tsm({{kCpu, times_from(0, 100)}, {other, times_from(0, 10)}}, 7);
  const std::string records =
      deletion(kCpu, 10, 19) + deletion(kCpu, 15, 29) + deletion(kCpu, 90, 98) + deletion(other);
  for (const std::string& tombstone :
       {tombstone_v2(records), tombstone_v3(records),
        tombstone_v4({deletion(kCpu, 15, 29) + deletion(other), deletion(kCpu, 10, 19),
                      deletion(kCpu, 90, 98)})}) {
    const StoredPoints points = count_of({{kFirst, tsm}, {kFirstTombstone, tombstone}});
    EXPECT_EQ(problems_of(points), "");
    EXPECT_EQ(field(points), range(71, 0, 99));
    EXPECT_EQ(points.policies.at({"db", "rp"}).series, 1u);
  }
  const StoredPoints by_lines = count_of({{kFirst, tsm}, {kFirstTombstone, kCpu + "\r\nnothing"}});
  EXPECT_EQ(problems_of(by_lines), "");
  EXPECT_EQ(field(by_lines), range(10, 0, 9));
}

// influxd compares keys whole.
TEST(StoredPoints, ATombstoneOfASeriesWithoutFieldDeletesNothing) {
  const StoredPoints points =
      count_of({{kFirst, point_tsm({{kCpu, {1, 2}}})},
                {kFirstTombstone, tombstone_v4({deletion("cpu,host=a") + deletion("cpu")})}});
  EXPECT_EQ(problems_of(points), "");
  EXPECT_EQ(field(points), range(2, 1, 2));
}

TEST(StoredPoints, ATombstoneConcernsItsOwnFileOnly) {
  const std::string older = point_tsm({{kCpu, {10, 20, 30}}});
  const std::string newer = point_tsm({{kCpu, {20, 40}}});
  const std::string all = tombstone_v4({deletion(kCpu)});
  EXPECT_EQ(field(count_of({{kFirst, older}, {kFirstTombstone, all}, {kSecond, newer}})),
            range(2, 20, 40));
  EXPECT_EQ(field(count_of({{kFirst, older}, {kSecond, newer}, {kSecondTombstone, all}})),
            range(3, 10, 30));
  // That of no file.
  EXPECT_EQ(field(count_of({{kFirst, older}, {kSecondTombstone, all}})), range(3, 10, 30));
}

TEST(StoredPoints, TheLogAddsToTheFiles) {
  const StoredPoints points =
      count_of({{kFirst, point_tsm({{kCpu, {10, 20, 30, 40}}}, 2)}},
               {{"_00001.wal", log_write(kCpu, {50, 20, 15, 5}) + log_write("m#!~#f", {7})},
                {"_00002.wal", log_write(kCpu, {25, 50, 60})},
                {"other", "no segment"}});
  EXPECT_EQ(problems_of(points), "");
  EXPECT_EQ(field(points), range(9, 5, 60));
  EXPECT_EQ(field(points, "m", "f"), range(1, 7, 7));
  EXPECT_EQ(points.policies.at({"db", "rp"}).series, 2u);
}

TEST(StoredPoints, DeletesOfTheLogConcernWhatItWroteBefore) {
  const StoredPoints points =
      count_of({{kFirst, point_tsm({{kCpu, {10, 20}}})}},
               {{"_00001.wal", log_write(kCpu, {20, 30, 40, 50}) + log_write("m#!~#f", {7}) +
                                   log_write("m,t=b#!~#f", {8})},
                {"_00002.wal", log_delete_range(kCpu, 10, 40) + log_delete("m#!~#f\nm,t=b#!~#f") +
                                   log_delete("never#!~#there")},
                {"_00003.wal", log_write(kCpu, {35}) + log_write("m,t=b#!~#f", {9})}});
  EXPECT_EQ(problems_of(points), "");
  EXPECT_EQ(field(points), range(4, 10, 50));
  EXPECT_EQ(field(points, "m", "f"), range(1, 9, 9));
  EXPECT_EQ(points.policies.at({"db", "rp"}).series, 2u);
}

TEST(StoredPoints, ALogIsReadUpToItsTornEnd) {
  const std::string sound = log_write(kCpu, {1, 2});
  const std::string torn = log_write(kCpu, {3, 4});
  const StoredPoints points = count_of({}, {{"_00001.wal", sound + torn.substr(0, torn.size() - 1)},
                                            {"_00002.wal", log_write(kCpu, {5})}});
  EXPECT_EQ(field(points), range(3, 1, 5));
  EXPECT_NE(problems_of(points).find(
                fmt::format("db/rp/1/_00001.wal: cannot be read behind byte {}", sound.size())),
            std::string::npos)
      << problems_of(points);
}

TEST(StoredPoints, NamesAreThoseOfPeople) {
  const StoredPoints points = count_of({{kFirst, point_tsm({{R"(a\,b\ c,t=x\,y#!~#the field)", {1}},
                                                            {R"(back\slash,t=x#!~#f#!~#g)", {1, 2}},
                                                            {R"(none,t=x#!~#)", {1, 2, 3}}})}});
  EXPECT_EQ(problems_of(points), "");
  EXPECT_EQ(field(points, "a,b c", "the field").count, 1u);
  EXPECT_EQ(field(points, R"(back\slash)", "f#!~#g").count, 2u);
  EXPECT_EQ(field(points, "none", "").count, 3u);
}

// As influxd 1.6.7 and 1.8.10 do: they list the series, and answer nothing.
TEST(StoredPoints, WhatInfluxdNeverFindsDoesNotCount) {
  const StoredPoints points = count_of({{kFirst, point_tsm({{R"(a\\,b,t=x#!~#f)", {1, 2}}})}});
  EXPECT_TRUE(points.policies.at({"db", "rp"}).measurements.empty());
  EXPECT_EQ(points.policies.at({"db", "rp"}).series, 1u);
  EXPECT_EQ(points.policies.at({"db", "rp"}).unfound, (std::set<std::string>{R"(a\,b)"}));
  EXPECT_EQ(problems_of(points), "");
}

TEST(StoredPoints, ADamagedBlockIsNamedAndTheOthersCount) {
  std::string tsm = point_tsm({{kCpu, times_from(0, 30)}}, 10);
  const size_t block = (tsm.size() - 8 - 2 - kCpu.size() - 3 - 3 * 28 - 5) / 3;
  tsm[5 + 2 * block - 1] ^= 1;  // a value of the second
  const StoredPoints points = count_of({{kFirst, tsm}});
  EXPECT_EQ(field(points), range(20, 0, 29));
  const std::string what = problems_of(points);
  EXPECT_NE(what.find(fmt::format("db/rp/1/{}: its block at byte {}, of '{}': its CRC is wrong",
                                  kFirst, 5 + block, kCpu)),
            std::string::npos)
      << what;
}

TEST(StoredPoints, WhatInfluxdWouldReadOtherwiseIsNamed) {
  const StoredPoints points = count_of({{kFirst, point_tsm({{kCpu, {10, 20, 20, 15, 40}}})}});
  EXPECT_EQ(field(points).count, 4u);
  EXPECT_NE(problems_of(points).find("not in order"), std::string::npos);
  const StoredPoints types = count_of(
      {{kFirst, point_tsm({{kCpu, {10}}})}, {kSecond, point_tsm({{kCpu, {20}}}, 1000, 3)}});
  EXPECT_NE(problems_of(types).find("db/rp/1: it has points of two types"), std::string::npos);
  const StoredPoints in_log =
      count_of({}, {{"_00001.wal", log_write(kCpu, {1}) + log_write(kCpu, {2}, 2)}});
  EXPECT_NE(problems_of(in_log).find("two types"), std::string::npos);
  const StoredPoints no_field = count_of({{kFirst, point_tsm({{"cpu,host=a", {10}}})}});
  EXPECT_NE(problems_of(no_field).find("without a field"), std::string::npos);
}

TEST(StoredPoints, FilesThatInfluxdPutsAsideDoNotCount) {
  const std::string tsm = point_tsm({{kCpu, {10, 20}}});
  const StoredPoints points = count_of(
      {{kFirst, tsm},
       {kFirstTombstone, tombstone_v2("abc")},
       {kSecond, point_tsm({{kCpu, {30}}})},
       {"000000003-000000001.tsm", "no TSM file at all"},
       {"000000004-000000001.tsm", ""},
       {"copy.tsm", tsm},
       {"000000005-000000001.tsm", tsm.substr(0, tsm.size() - 30) + tsm.substr(tsm.size() - 8)}});
  EXPECT_EQ(field(points), range(1, 30, 30));
  const std::string what = problems_of(points);
  for (const char* expected :
       {"000000001-000000001.tsm: '000000001-000000001.tombstone' is no sound tombstone",
        "000000003-000000001.tsm: is no sound TSM file", "000000004-000000001.tsm: is empty",
        "copy.tsm: is not named", "000000005-000000001.tsm: an entry that is cut off"})
    EXPECT_NE(what.find(expected), std::string::npos) << expected << " in\n" << what;
}

TEST(StoredPoints, OfSeveralShardsAreAddedUp) {
  PointsFixture store;
  store.add_data("db/rp/1", {{kFirst, point_tsm({{kCpu, {10, 20}}})}});
  store.add_data("db/rp/2", {{kFirst, point_tsm({{kCpu, {5, 20}}, {"cpu#!~#usage", {1}}})}});
  store.add_data("db/other/3", {{kFirst, point_tsm({{kCpu, {20}}, {"m#!~#f", {1}}})}});
  store.add_data("db2/rp/4", {{kFirst, point_tsm({{kCpu, {20}}})}});
  store.add_data("db3/rp/5", {});
  store.add_log("db2/rp/6", {{"_00001.wal", log_write("m,t=a#!~#f", {1})}});
  for (const unsigned threads : {1u, 2u, 5u}) {
    const StoredPoints points =
        store.count({.wanted = {}, .group_times = {}, .threads_max = threads});
    EXPECT_EQ(field(points), range(5, 1, 20));
    EXPECT_EQ(points.policies.size(), 4u);
    EXPECT_EQ(points.policies.at({"db", "other"}).measurements.size(), 2u);
    std::map<std::string, uint64_t> series;
    for (const auto& [name, policy] : points.policies)
      series[name.first + "/" + name.second] = policy.series;
    EXPECT_EQ(series, (std::map<std::string, uint64_t>{
                          {"db/other", 2}, {"db/rp", 2}, {"db2/rp", 2}, {"db3/rp", 0}}));
  }
}

// As influxd 1.6.7 does: such points are answered without a time range only.
TEST(StoredPoints, PointsOutsideTheTimesOfTheirGroupAreNamed) {
  PointsFixture store;
  store.add_data("db/rp/1", {{kFirst, point_tsm({{kCpu, {10, 19}}, {"m#!~#f", {10}}})}});
  store.add_data("db/rp/2", {{kFirst, point_tsm({{kCpu, {20, 30}}, {"m#!~#f", {29}}})}});
  store.add_log("db/rp/2", {{"_00001.wal", log_write("n#!~#f", {19})}});
  const auto problems = [&](snapshot::GroupTimes one, snapshot::GroupTimes two) {
    snapshot::PointCounting counting;
    counting.group_times = [=](const snapshot::ShardPath& shard) {
      return shard.shard == 1 ? std::optional(one) : std::optional(two);
    };
    const StoredPoints points = store.count(counting);
    EXPECT_EQ(field(points), range(4, 10, 30));
    return problems_of(points);
  };
  EXPECT_EQ(problems({10, 20}, {19, 31}), "");
  EXPECT_EQ(problems({std::numeric_limits<int64_t>::max(), 20}, {19, 31}), "");
  const std::string swapped = problems({20, 30}, {10, 20});
  EXPECT_NE(swapped.find("db/rp/1: it has points outside"), std::string::npos) << swapped;
  EXPECT_NE(swapped.find("2 of its keys, 'cpu,host=a#!~#usage' for instance"), std::string::npos)
      << swapped;
  EXPECT_NE(swapped.find("db/rp/2: "), std::string::npos) << swapped;
  const std::string late = problems({10, 20}, {20, 30});
  EXPECT_EQ(late.find("db/rp/1: "), std::string::npos) << late;
  EXPECT_NE(late.find("2 of its keys"), std::string::npos) << late;
}

TEST(StoredPoints, AQuerySeesOneTypeOfAField) {
  PointsFixture store;
  const auto shard = [](std::vector<int64_t> times, uint8_t type) {
    return PointsFixture::Files{{kFirst, point_tsm({{kCpu, std::move(times)}}, 1000, type)}};
  };
  store.add_data("db/rp/1", shard({1, 2}, 2));     // booleans
  store.add_data("db/rp/2", shard({3, 4, 5}, 3));  // strings
  EXPECT_EQ(field(store.count()), (FieldPoints{3, 3, 5, 2}));
  store.add_data("db/rp/3", shard({6}, 4));       // unsigned
  store.add_data("db/rp/4", shard({10, 11}, 0));  // floats
  EXPECT_EQ(field(store.count()), (FieldPoints{3, 6, 11, 5}));
}

TEST(StoredPoints, ASampleLeavesOutMeasurementsButNoSeries) {
  PointsFixture store;
  std::string damaged = point_tsm({{"mem,host=a#!~#free", {1, 2}}});
  damaged[6] ^= 1;
  store.add_data(
      "db/rp/1",
      {{kFirst, point_tsm({{kCpu, {1}},
                           {"mem,host=b#!~#free", {1}},
                           {"mem,host=b#!~#used", {1}},
                           {"net#!~#in", {1, 5}},
                           {"net,a=b#!~#in", {1, 5}}})},
       {kFirstTombstone, tombstone_v4({deletion("mem,host=b#!~#free") +
                                       deletion("net#!~#in", 0, 1) + deletion("net#!~#in", 4, 9)})},
       {kSecond, damaged}});
  const StoredPoints points =
      store.count({.wanted = [](const snapshot::ShardPath&,
                                const std::string& measurement) { return measurement == "cpu"; },
                   .group_times = {}});
  EXPECT_EQ(points.policies.at({"db", "rp"}).measurements.size(), 1u);
  EXPECT_EQ(field(points).count, 1u);
  // The damaged block is not read; net without tags has nothing left.
  EXPECT_EQ(problems_of(points), "");
  EXPECT_EQ(points.policies.at({"db", "rp"}).series, 4u);
}

TEST(StoredPoints, ATombstoneOfManyEntriesTakesLittleTime) {
  std::string records;
  for (int i = 0; i < 300'000; ++i)
    records += deletion(fmt::format("cpu,host=h{}#!~#usage", i % 1000), i, i + 1);
  const StoredPoints points =
      count_of({{kFirst, point_tsm({{"cpu,host=h7#!~#usage", times_from(0, 3000)}})},
                {kFirstTombstone, tombstone_v4({records})}});
  EXPECT_EQ(problems_of(points), "");
  EXPECT_EQ(field(points).count, 3000u - 6);
}

TEST(StoredPoints, AStopEndsTheCounting) {
  PointsFixture store;
  store.add_data("db/rp/1", {{kFirst, point_tsm({{kCpu, {10}}})}});
  std::stop_source stop;
  snapshot::PointCounting counting;
  counting.wanted = [&](const snapshot::ShardPath&, const std::string&) {
    stop.request_stop();
    return true;
  };
  EXPECT_THROW(store.count(counting, stop.get_token()), Cancelled);
  EXPECT_THROW(store.count({}, stop.get_token()), Cancelled);
}

TEST(StoredPoints, NoFileHasMoreProblemsThanCanBeRead) {
  std::string tsm = point_tsm({{kCpu, times_from(0, 500)}}, 5);
  const size_t index = tsm.size() - 8 - 2 - kCpu.size() - 3 - 100 * 28;
  for (size_t block = 0; block < 100; ++block) tsm[5 + block * ((index - 5) / 100)] ^= 1;
  const StoredPoints points = count_of({{kFirst, tsm}});
  EXPECT_EQ(field(points).count, 0u);
  EXPECT_EQ(points.problems.size(), 21u);
  EXPECT_EQ(points.problems.back().what, "80 more of the kind");
  EXPECT_TRUE(points.policies.at({"db", "rp"}).measurements.empty());
}

}  // namespace
}  // namespace tsmfs::test
