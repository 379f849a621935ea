#include "snapshot/influxdb/derived_metastore.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "index/base/error.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/model/filter.h"

namespace tsmfs::snapshot {
namespace {

constexpr int64_t kHour = kShardDurationMinNs;
constexpr int64_t kDay = 24 * kHour;

ShardTimes from(const std::string& first, const std::string& last) {
  return {parse_rfc3339(first), parse_rfc3339(last)};
}
ShardPath autogen(uint64_t shard) {
  return {"db", "autogen", shard};
}
Metastore parse(const DerivedMetastore& derived) {
  return Metastore::parse(as_bytes(derived.protobuf), "result");
}
// "3: 2024-03-04T00:00:00Z to 2024-03-11T00:00:00Z" for each group of the first policy.
std::vector<std::string> groups(const DerivedMetastore& derived) {
  std::vector<std::string> found;
  const Metastore meta = parse(derived);
  for (const MetaShardGroup& group : meta.databases().at(0).policies.at(0).groups)
    found.push_back(std::to_string(group.shards.at(0)) + ": " + format_rfc3339(group.start) +
                    " to " + format_rfc3339(group.end));
  return found;
}
int64_t duration(const DerivedMetastore& derived) {
  return parse(derived).databases().at(0).policies.at(0).shard_group_duration_ns;
}
bool notes(const DerivedMetastore& derived, const std::string& path, const std::string& part) {
  return std::ranges::any_of(derived.notes, [&](const Problem& note) {
    return note.path == path && note.what.find(part) != std::string::npos;
  });
}
std::string refusal(const std::string& shard_duration) {
  try {
    parse_shard_duration(shard_duration);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "nothing";
}

TEST(DerivedMetastore, WeeksBeginOnMondaysAsTheServersDo) {
  const auto derived = derive_metastore(
      {{autogen(3), from("2024-03-05T10:00:00Z", "2024-03-10T23:59:59Z")}}, std::nullopt);
  EXPECT_EQ(groups(derived),
            std::vector<std::string>{"3: 2024-03-04T00:00:00Z to 2024-03-11T00:00:00Z"});
  EXPECT_EQ(duration(derived), 7 * kDay);
  EXPECT_TRUE(notes(derived, "db/autogen", "gets the shard duration 168h"));
}

TEST(DerivedMetastore, TheDurationIsOneInWhichEachShardHasItsOwn) {
  const auto with = [](const TimesOfShards& shards) {
    return duration(derive_metastore(shards, std::nullopt));
  };
  const ShardTimes noon = from("2024-03-05T12:10:00Z", "2024-03-05T12:20:00Z");
  EXPECT_EQ(with({{autogen(1), noon}}), 7 * kDay);
  EXPECT_EQ(with({{autogen(1), noon},
                  {autogen(2), from("2024-03-06T00:00:00Z", "2024-03-06T23:00:00Z")}}),
            kDay);
  EXPECT_EQ(with({{autogen(1), noon},
                  {autogen(2), from("2024-03-05T13:00:00Z", "2024-03-05T13:59:00Z")}}),
            kHour);
  EXPECT_EQ(with({{autogen(1), noon},
                  {autogen(2), from("2024-03-05T18:00:00Z", "2024-03-05T23:00:00Z")}}),
            6 * kHour);
  // Those of 8, 9 and 10 days since the year 1 have a border in between.
  EXPECT_EQ(with({{autogen(1), from("2024-03-05T00:00:00Z", "2024-03-12T00:00:00Z")}}), 11 * kDay);
}

TEST(DerivedMetastore, AShardOfMoreThanTheDurationGetsAWiderGroup) {
  const auto derived =
      derive_metastore({{autogen(1), from("2024-03-05T10:00:00Z", "2024-03-07T10:00:00Z")},
                        {autogen(2), from("2024-03-09T10:00:00Z", "2024-03-09T11:00:00Z")}},
                       kDay);
  EXPECT_EQ(groups(derived),
            (std::vector<std::string>{"1: 2024-03-05T00:00:00Z to 2024-03-08T00:00:00Z",
                                      "2: 2024-03-09T00:00:00Z to 2024-03-10T00:00:00Z"}));
  EXPECT_TRUE(notes(derived, "db/autogen", "made that wide: 1"));
}

TEST(DerivedMetastore, ShardsOfOneDurationShareIt) {
  const auto derived =
      derive_metastore({{autogen(1), from("2024-03-04T10:00:00Z", "2024-03-05T10:00:00Z")},
                        {autogen(7), from("2024-03-05T10:30:00Z", "2024-03-05T20:00:00Z")},
                        {autogen(4), from("2024-03-07T10:00:00Z", "2024-03-07T11:00:00Z")}},
                       7 * kDay);
  EXPECT_EQ(groups(derived),
            (std::vector<std::string>{"1: 2024-03-04T00:00:00Z to 2024-03-05T10:30:00Z",
                                      "7: 2024-03-05T10:30:00Z to 2024-03-07T00:00:00Z",
                                      "4: 2024-03-07T00:00:00Z to 2024-03-11T00:00:00Z"}));
  EXPECT_TRUE(notes(derived, "db/autogen", "share it between their points: 1, 7, 4"));
}

TEST(DerivedMetastore, ShardsOfTheSameTimesOverlapAndAreNamed) {
  const auto derived =
      derive_metastore({{autogen(1), from("2024-03-04T10:00:00Z", "2024-03-05T10:00:00Z")},
                        {autogen(2), from("2024-03-05T00:00:00Z", "2024-03-05T20:00:00Z")}},
                       std::nullopt);
  EXPECT_EQ(groups(derived),
            (std::vector<std::string>{"1: 2024-03-04T00:00:00Z to 2024-03-11T00:00:00Z",
                                      "2: 2024-03-04T00:00:00Z to 2024-03-11T00:00:00Z"}));
  EXPECT_TRUE(notes(derived, "db/autogen", "answered twice: 2"));
}

TEST(DerivedMetastore, EveryPointIsInTheGroupOfItsShard) {
  TimesOfShards shards;
  int64_t time = kInfluxTimeMin.unix_ns;
  for (uint64_t shard = 1; shard < 400; ++shard) {
    const int64_t length = static_cast<int64_t>(shard * 7919 % 101) * kDay / 7;
    shards[autogen(shard * 31 % 400)] = ShardTimes{{time}, {time + length}};
    time += length + static_cast<int64_t>(shard * 104729 % 89) * kHour / 3 + 1;
  }
  shards[autogen(999)] = ShardTimes{{INT64_MAX - 3 * kHour}, {INT64_MAX}};
  for (const auto& asked : std::vector<std::optional<int64_t>>{{}, kHour, kDay, 3000 * kDay}) {
    const Metastore meta = parse(derive_metastore(shards, asked));
    const auto& found = meta.databases().at(0).policies.at(0).groups;
    ASSERT_EQ(found.size(), shards.size());
    for (size_t i = 0; i < found.size(); ++i) {
      const ShardTimes& times = *shards.at(autogen(found[i].shards.at(0)));
      EXPECT_LE(found[i].start, times.first);
      EXPECT_GT(found[i].end, std::min(times.last, kInfluxTimeMax));
      EXPECT_GE(found[i].start, kInfluxTimeMin);
      if (i > 0) {
        EXPECT_LE(found[i - 1].end, found[i].start);
      }
    }
  }
}

TEST(DerivedMetastore, NamesDefaultsAndNumbersAreOfTheDirectories) {
  const ShardTimes times = from("2024-03-05T10:00:00Z", "2024-03-05T11:00:00Z");
  const auto derived = derive_metastore({{{"a", "autogen", 7}, times},
                                         {{"a", "a.year", 9}, times},
                                         {{"my db", "two", 3}, times},
                                         {{"my db", "one", 20}, std::nullopt}},
                                        std::nullopt);
  const Metastore meta = parse(derived);
  ASSERT_EQ(meta.databases().size(), 2u);
  EXPECT_EQ(meta.databases()[0].default_policy, "autogen");
  EXPECT_EQ(meta.databases()[1].default_policy, "one");
  EXPECT_EQ(meta.databases()[1].policies.at(0).groups.size(), 0u);
  EXPECT_EQ(meta.databases()[1].policies.at(0).replicas, 1u);
  EXPECT_TRUE(meta.has_shard({"a", "a.year", 9}));
  EXPECT_TRUE(meta.has_shard({"my db", "two", 3}));
  EXPECT_NE(meta.find_shard(7)->group->id, meta.find_shard(9)->group->id);
  EXPECT_TRUE(notes(derived, "my db/one/20", "in no shard group"));
  // MaxShardGroupID and MaxShardID: fresh numbers are above those of the directories.
  EXPECT_NE(derived.protobuf.find(std::string("\x40\x03\x48\x14", 4)), std::string::npos);
}

TEST(DerivedMetastore, OneNumberInTwoPlacesIsRefused) {
  try {
    derive_metastore({{{"a", "autogen", 7}, std::nullopt}, {{"b", "autogen", 7}, std::nullopt}},
                     std::nullopt);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("'a/autogen/7' and 'b/autogen/7'"), std::string::npos);
  }
}

TEST(DerivedMetastore, ShardDurationsAreInfluxQls) {
  EXPECT_EQ(parse_shard_duration("168h"), 168 * kHour);
  EXPECT_EQ(parse_shard_duration("7d"), 7 * kDay);
  EXPECT_EQ(parse_shard_duration("2w"), 14 * kDay);
  EXPECT_EQ(parse_shard_duration("1h30m"), kHour * 3 / 2);
  for (const char* none : {"", "7", "h", "-7d", "7y", "7 d", "59m", "0h", "9999999999999w"})
    EXPECT_NE(refusal(none), "nothing") << none;
}

}  // namespace
}  // namespace tsmfs::snapshot
