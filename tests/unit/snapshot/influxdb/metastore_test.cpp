#include "snapshot/influxdb/metastore.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "index/base/error.h"
#include "tests/support/metastore_messages.h"
#include "tests/support/protobuf.h"

namespace tsmfs::snapshot {
namespace {

using support::metastore::database;
using support::metastore::group;
using support::metastore::policy;
using support::metastore::shard;
using support::protobuf::bytes;
using support::protobuf::number;
using support::protobuf::varint;

const std::string kHead = number(1, 0) + number(2, 14) + number(3, 77);

std::string sample() {
  const std::string first =
      policy("autogen", group(1, 1000, shard(1)) + group(2, 1100, shard(2) + shard(3), 5555), 7200);
  return kHead + database("plain", first + policy("two weeks.v2", "")) +
         database("my.db 1", policy("autogen", group(4, -50, shard(10)))) +
         bytes(6, bytes(1, "admin")) + number(7, 0) + number(8, 4) + number(9, 10);
}

Metastore parse(const std::string& protobuf) {
  return Metastore::parse(as_bytes(protobuf), "meta.db");
}

TEST(Metastore, AShardThatLivesHidesADeletedOneOfItsNumber) {
  const std::string gone = policy("rp", group(1, 1000, shard(5), 5));
  const std::string lives = policy("rp", group(2, 2000, shard(5)));
  for (const auto& meta : {parse(kHead + database("a", gone) + database("b", lives)),
                           parse(kHead + database("b", lives) + database("a", gone))}) {
    EXPECT_EQ(meta.find_shard(5)->database->name, "b");
    EXPECT_TRUE(meta.has_shard({"b", "rp", 5}));
    EXPECT_FALSE(meta.has_shard({"a", "rp", 5}));
  }
}

TEST(Metastore, ADeletedShardIsFoundAndNotThere) {
  const Metastore meta = parse(kHead + database("a", policy("rp", group(1, 1000, shard(5), 5))));
  EXPECT_TRUE(meta.find_shard(5)->group->deleted);
  EXPECT_FALSE(meta.has_shard({"a", "rp", 5}));
}

TEST(Metastore, ListsDatabasesPoliciesGroupsAndShards) {
  const Metastore meta = parse(sample());
  EXPECT_EQ(meta.change_index(), 14u);
  EXPECT_EQ(meta.cluster_id(), 77u);
  ASSERT_EQ(meta.databases().size(), 2u);
  const MetaDatabase& plain = meta.databases()[0];
  EXPECT_EQ(plain.name, "plain");
  EXPECT_EQ(plain.default_policy, "autogen");
  ASSERT_EQ(plain.policies.size(), 2u);
  EXPECT_EQ(plain.policies[1].name, "two weeks.v2");
  EXPECT_EQ(plain.policies[0].duration_ns, 7200);
  EXPECT_EQ(plain.policies[0].shard_group_duration_ns, 3600);
  EXPECT_EQ(plain.policies[0].replicas, 1u);
  const auto& groups = plain.policies[0].groups;
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].start.unix_ns, 1000);
  EXPECT_EQ(groups[0].end.unix_ns, 1100);
  EXPECT_FALSE(groups[0].deleted);
  ASSERT_TRUE(groups[1].deleted);
  EXPECT_EQ(groups[1].deleted->unix_ns, 5555);
  EXPECT_FALSE(groups[1].truncated);
  EXPECT_EQ(groups[1].shards, (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(meta.databases()[1].policies[0].groups[0].start.unix_ns, -50);
}

TEST(Metastore, FindsShardsByNumber) {
  const Metastore meta = parse(sample());
  const auto place = meta.find_shard(3);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->database->name, "plain");
  EXPECT_EQ(place->policy->name, "autogen");
  EXPECT_EQ(place->group->id, 2u);
  EXPECT_EQ(meta.find_shard(10)->database->name, "my.db 1");
  EXPECT_FALSE(meta.find_shard(0));
  EXPECT_FALSE(meta.find_shard(4));
  EXPECT_FALSE(meta.find_shard(UINT64_MAX));
}

TEST(Metastore, FindsDatabasesByName) {
  const Metastore meta = parse(sample());
  ASSERT_NE(meta.find_database("my.db 1"), nullptr);
  EXPECT_EQ(meta.find_database("my.db"), nullptr);
}

TEST(Metastore, TakesAServerWithoutDatabases) {
  EXPECT_TRUE(parse(kHead).databases().empty());
}

TEST(Metastore, TakesFieldsItDoesNotKnow) {
  const std::string later =
      bytes(5, bytes(1, "db") + bytes(99, "later") + policy("p", number(88, 1)));
  EXPECT_EQ(parse(kHead + later + number(77, 1)).databases().at(0).policies.at(0).name, "p");
}

TEST(Metastore, RejectsWhatIsNone) {
  for (const std::string& content :
       {std::string(), std::string("null\n"), std::string("HTTP/1.1 400"), std::string(100, '\0'),
        std::string(100, '\xff'), number(2, 1), number(3, 1), kHead + bytes(5, ""),
        kHead + bytes(5, bytes(2, "autogen")), kHead + database("db", bytes(3, "")),
        kHead + database("db", policy("p", bytes(5, ""))),
        kHead + database("db", policy("p", bytes(5, number(1, 1) + bytes(5, "")))),
        kHead + varint(3) + kHead})
    EXPECT_THROW(parse(content), CorruptError) << testing::PrintToString(content);
}

TEST(Metastore, RejectsTwoOfOneName) {
  EXPECT_THROW(parse(kHead + database("db", "") + database("db", "")), CorruptError);
  EXPECT_THROW(parse(kHead + database("db", policy("p", "") + policy("p", ""))), CorruptError);
}

// A cut between two fields of the outermost message leaves a sound, smaller message: the length in
// front of the metastore answer guards against that, not protobuf.
TEST(Metastore, NeverShowsMoreThanACutLeaves) {
  const std::string whole = sample();
  size_t rejected = 0;
  for (size_t length = 0; length < whole.size(); ++length) {
    try {
      EXPECT_LE(parse(whole.substr(0, length)).databases().size(), 2u);
    } catch (const CorruptError&) {
      ++rejected;
    }
  }
  EXPECT_GT(rejected, whole.size() - 20);
}

TEST(Metastore, SurvivesRandomDamage) {
  std::mt19937 random(5);
  const std::string sound = sample();
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = sound;
    for (int i = 0; i < 1 + round % 4; ++i)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    try {
      const Metastore meta = parse(damaged);
      for (uint64_t id = 0; id < 12; ++id) meta.find_shard(id);
    } catch (const CorruptError&) {
    }
  }
}

TEST(Metastore, RejectsDeepNesting) {
  std::string nested;
  for (int depth = 0; depth < 2000; ++depth) nested = bytes(5, nested);
  EXPECT_THROW(parse(kHead + nested), CorruptError);
  // A group that is not known is skipped, but not without an end.
  EXPECT_THROW(parse(kHead + std::string(2'000'000, '\x7b')), CorruptError);
}

}  // namespace
}  // namespace tsmfs::snapshot
