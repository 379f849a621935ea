#include "snapshot/influxdb/metastore_edit.h"

#include <gtest/gtest.h>

#include <functional>
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

std::string user(const std::string& name, const std::string& on) {
  return bytes(6, bytes(1, name) + bytes(4, bytes(1, on) + number(2, 1)));
}
std::string store(uint64_t index, uint64_t cluster, const std::string& rest, uint64_t group_max,
                  uint64_t shard_max) {
  return number(1, 0) + number(2, index) + number(3, cluster) + rest + number(8, group_max) +
         number(9, shard_max);
}

// Database "a" with two policies, "b" with one; shard 3's group has been deleted.
std::string snapshot() {
  return store(20, 7,
               database("a", policy("autogen", group(1, 1000, shard(1)) + group(2, 1100, shard(2)) +
                                                   group(3, 900, shard(3), 5)) +
                                 policy("year", group(4, 0, shard(10)))) +
                   database("b", policy("autogen", group(5, 1000, shard(11)))) + user("joe", "a") +
                   bytes(99, "later"),
               5, 11);
}

MetaChoice choose(const std::string& name = "", const std::string& policy_name = "",
                  std::optional<uint64_t> shard_id = std::nullopt) {
  MetaChoice choice;
  if (!name.empty()) choice.filter.databases = {name};
  choice.filter.policy = policy_name;
  choice.filter.shard = shard_id;
  return choice;
}

MetaEdit merge(const std::string& target, const MetaChoice& choice,
               const ShardsOnDisk& on_disk = {}) {
  return merge_metastore(as_bytes(target), "meta.db", as_bytes(snapshot()), choice, on_disk);
}
MetaEdit filter(const MetaChoice& choice, const ShardsOnDisk& on_disk = {}) {
  return filter_metastore(as_bytes(snapshot()), choice, on_disk);
}
Metastore parse_result(const std::string& protobuf) {
  return Metastore::parse(as_bytes(protobuf), "result");
}
bool holds(const std::string& protobuf, const std::string& part) {
  return protobuf.find(part) != std::string::npos;
}
std::string where(const Metastore& meta, uint64_t id) {
  const auto place = meta.find_shard(id);
  return place ? place->database->name + "." + place->policy->name : "nowhere";
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
    return "none";
  } catch (const Error& error) {
    return std::string(error.what()) + "; " + error.advice();
  }
}

TEST(FilterMetastore, KeepsEverythingByteForByte) {
  const MetaEdit edit = filter(choose());
  EXPECT_EQ(edit.protobuf, snapshot());
  EXPECT_EQ(edit.moves, (ShardMoves{{1, {"a", "autogen", 1}},
                                    {2, {"a", "autogen", 2}},
                                    {10, {"a", "year", 10}},
                                    {11, {"b", "autogen", 11}}}));
}

TEST(FilterMetastore, LeavesOtherDatabasesOutAndKeepsUsersAndWhatItDoesNotKnow) {
  const MetaEdit edit = filter(choose("a"));
  const Metastore meta = parse_result(edit.protobuf);
  ASSERT_EQ(meta.databases().size(), 1u);
  EXPECT_EQ(meta.databases()[0].policies.size(), 2u);
  EXPECT_FALSE(meta.find_shard(3)) << "its group had been deleted";
  EXPECT_EQ(meta.cluster_id(), 7u);
  EXPECT_TRUE(holds(edit.protobuf, user("joe", "a")));
  EXPECT_TRUE(holds(edit.protobuf, bytes(99, "later")));
  EXPECT_TRUE(holds(edit.protobuf, number(9, 11))) << "MaxShardID";
}

TEST(FilterMetastore, OnePolicyBecomesTheDefault) {
  const MetaEdit edit = filter(choose("a", "year"));
  const Metastore meta = parse_result(edit.protobuf);
  ASSERT_EQ(meta.databases()[0].policies.size(), 1u);
  EXPECT_EQ(meta.databases()[0].default_policy, "year");
  EXPECT_EQ(edit.moves, (ShardMoves{{10, {"a", "year", 10}}}));
}

TEST(FilterMetastore, OneShardBringsItsGroupOnly) {
  const MetaEdit edit = filter(choose("", "", 2));
  const Metastore meta = parse_result(edit.protobuf);
  ASSERT_EQ(meta.databases().size(), 1u);
  ASSERT_EQ(meta.databases()[0].policies.size(), 1u);
  ASSERT_EQ(meta.databases()[0].policies[0].groups.size(), 1u);
  EXPECT_EQ(where(meta, 2), "a.autogen");
}

TEST(FilterMetastore, RenamesTheDatabaseThePolicyAndTheUsersRights) {
  MetaChoice choice = choose("a", "year");
  choice.new_database = "c";
  choice.new_policy = "old";
  const MetaEdit edit = filter(choice);
  const Metastore meta = parse_result(edit.protobuf);
  EXPECT_EQ(where(meta, 10), "c.old");
  EXPECT_EQ(meta.databases()[0].default_policy, "old");
  EXPECT_EQ(edit.moves, (ShardMoves{{10, {"c", "old", 10}}}));
  EXPECT_TRUE(holds(edit.protobuf, user("joe", "c")));
}

TEST(FilterMetastore, NumbersThatTheDiskHasElsewhereAreReplaced) {
  const MetaEdit edit = filter(choose(), {{10, {"z", "autogen", 10}}, {1, {"a", "autogen", 1}}});
  EXPECT_EQ(edit.moves.at(10).shard, 12u);
  EXPECT_EQ(edit.moves.at(1).shard, 1u);
  EXPECT_EQ(where(parse_result(edit.protobuf), 12), "a.year");
}

// A server with a database "x" of the same numbers as the snapshot's "a".
std::string stranger() {
  return store(50, 99,
               database("x", policy("autogen", group(1, 500, shard(1)) + group(2, 600, shard(2)))) +
                   user("ann", "x") + bytes(98, "strange"),
               2, 2);
}

TEST(MergeMetastore, OthersStayAndNumbersThatClashAreReplaced) {
  const MetaEdit edit = merge(stranger(), choose("a"));
  const Metastore meta = parse_result(edit.protobuf);
  EXPECT_EQ(where(meta, 1), "x.autogen");
  EXPECT_EQ(where(meta, 2), "x.autogen");
  EXPECT_EQ(
      edit.moves,
      (ShardMoves{{1, {"a", "autogen", 12}}, {2, {"a", "autogen", 13}}, {10, {"a", "year", 10}}}));
  EXPECT_EQ(where(meta, 12), "a.autogen");
  EXPECT_EQ(where(meta, 13), "a.autogen");
  EXPECT_EQ(where(meta, 10), "a.year");
  EXPECT_EQ(meta.find_shard(12)->group->start.unix_ns, 1000);
  EXPECT_NE(meta.find_shard(12)->group->id, 1u);
  EXPECT_EQ(meta.change_index(), 51u);
  EXPECT_EQ(meta.cluster_id(), 99u);
  EXPECT_TRUE(holds(edit.protobuf, user("ann", "x")));
  EXPECT_FALSE(holds(edit.protobuf, "joe"));
  EXPECT_TRUE(holds(edit.protobuf, bytes(98, "strange")));
  EXPECT_TRUE(holds(edit.protobuf, number(9, 13))) << "MaxShardID";
  EXPECT_FALSE(meta.find_database("b"));
}

TEST(MergeMetastore, NumbersThatAreFreeStay) {
  const MetaEdit edit = merge(store(1, 1, "", 0, 0), choose("b"));
  EXPECT_EQ(edit.moves, (ShardMoves{{11, {"b", "autogen", 11}}}));
  EXPECT_TRUE(holds(edit.protobuf, number(8, 5)));
  EXPECT_TRUE(holds(edit.protobuf, number(9, 11)));
}

TEST(MergeMetastore, GainsAShardGroupThatIsMissing) {
  const std::string target =
      store(30, 7, database("a", policy("autogen", group(2, 1100, shard(2)), 777)), 9, 20);
  const MetaEdit edit = merge(target, choose("a", "", 1));
  const Metastore meta = parse_result(edit.protobuf);
  const MetaPolicy& changed = meta.databases()[0].policies[0];
  EXPECT_EQ(changed.duration_ns, 777) << "the target's definition stays";
  ASSERT_EQ(changed.groups.size(), 2u);
  EXPECT_EQ(changed.groups[0].shards, std::vector<uint64_t>{1}) << "sorted by time";
  EXPECT_EQ(edit.moves, (ShardMoves{{1, {"a", "autogen", 1}}}));
  EXPECT_TRUE(holds(edit.protobuf, number(9, 20)));
  EXPECT_EQ(meta.databases()[0].policies.size(), 1u) << "the other policy was not chosen";
}

TEST(MergeMetastore, AGroupOfTheSameTimeIsTheSame) {
  const std::string target = store(
      30, 7, database("a", policy("autogen", group(8, 1000, shard(15)) + group(2, 1100, shard(2)))),
      9, 20);
  const MetaEdit edit = merge(target, choose("a", "autogen"));
  EXPECT_EQ(edit.moves, (ShardMoves{{1, {"a", "autogen", 15}}, {2, {"a", "autogen", 2}}}));
  EXPECT_EQ(parse_result(edit.protobuf).databases()[0].policies[0].groups.size(), 2u);
}

TEST(MergeMetastore, ADeletedGroupOfTheTargetIsNotTheSame) {
  const std::string target =
      store(30, 7, database("a", policy("autogen", group(2, 1100, shard(2), 5))), 9, 20);
  const MetaEdit edit = merge(target, choose("a", "", 2));
  EXPECT_EQ(edit.moves, (ShardMoves{{2, {"a", "autogen", 21}}}));
}

TEST(MergeMetastore, TwiceChangesNothingMore) {
  const MetaEdit once = merge(stranger(), choose("a"));
  const MetaEdit twice = merge(once.protobuf, choose("a"));
  EXPECT_EQ(twice.moves, once.moves);
  EXPECT_EQ(parse_result(twice.protobuf).find_database("a")->policies[0].groups.size(), 2u);
}

TEST(MergeMetastore, RenamedItLeavesTheOriginalAlone) {
  MetaChoice choice = choose("a");
  choice.new_database = "copy";
  const MetaEdit edit = merge(snapshot(), choice);
  const Metastore meta = parse_result(edit.protobuf);
  EXPECT_EQ(meta.databases().size(), 3u);
  EXPECT_EQ(where(meta, 1), "a.autogen");
  EXPECT_EQ(edit.moves, (ShardMoves{{1, {"copy", "autogen", 12}},
                                    {2, {"copy", "autogen", 13}},
                                    {10, {"copy", "year", 14}}}));
}

TEST(MergeMetastore, ContinuousQueriesComeAlongUnlessTheNameChanges) {
  const std::string with_query = database(
      "a", policy("autogen", "") + bytes(4, bytes(1, "cq") + bytes(2, "INTO \"a\".\"autogen\"")));
  const std::string from = store(1, 1, with_query, 0, 0), to = store(1, 1, "", 0, 0);
  MetaChoice choice = choose("a");
  const auto run = [&] {
    return merge_metastore(as_bytes(to), "meta.db", as_bytes(from), choice, {});
  };
  EXPECT_TRUE(holds(run().protobuf, "INTO"));
  EXPECT_TRUE(run().notes.empty());
  choice.new_database = "b";
  EXPECT_FALSE(holds(run().protobuf, "INTO"));
}

TEST(MergeMetastore, UsersComeWhenTheyAreWantedAndThoseThatAreThereKeepTheirPassword) {
  const auto with_hash = [](const std::string& name, const std::string& hash,
                            const std::string& on) {
    return bytes(
        6, bytes(1, name) + bytes(2, hash) + number(3, 1) + bytes(4, bytes(1, on) + number(2, 1)));
  };
  const std::string from = store(1, 1,
                                 database("a", policy("autogen", "")) + with_hash("joe", "J", "a") +
                                     with_hash("ann", "theirs", "a") + with_hash("eve", "E", "z"),
                                 0, 0);
  const std::string to = store(1, 1, bytes(6, bytes(1, "ann") + bytes(2, "own")), 0, 0);
  MetaChoice choice = choose("a");
  const auto run = [&] {
    return merge_metastore(as_bytes(to), "meta.db", as_bytes(from), choice, {}).protobuf;
  };
  EXPECT_FALSE(holds(run(), "joe"));
  choice.with_users = true;
  choice.new_database = "copy";
  const std::string joe = bytes(6, bytes(1, "joe") + bytes(2, "J") + number(3, 0) +
                                       bytes(4, bytes(1, "copy") + number(2, 1)));
  const std::string ann =
      bytes(6, bytes(1, "ann") + bytes(2, "own") + bytes(4, bytes(1, "copy") + number(2, 1)));
  EXPECT_TRUE(holds(run(), joe)) << "of one database, nobody becomes an administrator";
  EXPECT_TRUE(holds(run(), ann));
  EXPECT_FALSE(holds(run(), "eve"));
}

TEST(MergeMetastore, GroupsThatOverlapAreNamed) {
  const std::string target =
      store(1, 1, database("a", policy("autogen", group(9, 1050, shard(30)))), 9, 30);
  const MetaEdit edit = merge(target, choose("a", "", 1));
  ASSERT_EQ(edit.notes.size(), 1u);
  EXPECT_TRUE(holds(edit.notes[0], "overlaps"));
}

TEST(MergeMetastore, RejectsATargetThatIsNone) {
  EXPECT_THROW(merge("nonsense", choose()), CorruptError);
}

TEST(ChooseShards, SaysWhatThereIs) {
  EXPECT_EQ(refusal([] { merge(stranger(), choose("c")); }),
            "the snapshot has no database 'c'; it has 'a', 'b'");
  EXPECT_EQ(refusal([] { filter(choose("a", "month")); }),
            "database 'a' of the snapshot has no retention policy 'month'; it has 'autogen', "
            "'year'");
  EXPECT_EQ(refusal([] { filter(choose("", "month")); }),
            "no database of the snapshot has a retention policy 'month'; ");
  EXPECT_EQ(refusal([] { filter(choose("a", "", 4)); }),
            "the snapshot has no shard 4; it has 1, 2, 10");
  EXPECT_EQ(refusal([] { filter(choose("a", "", 11)); }),
            "shard 11 of the snapshot belongs to 'b'.'autogen'; ");
  EXPECT_EQ(refusal([] { filter(choose("", "", 3)); }),
            "shard 3 had been deleted when the snapshot was made; ");
}

TEST(ChooseShards, RefusesNamesThatCannotBe) {
  for (const char* name : {"a\\b", "a\nb"}) {
    MetaChoice choice = choose("a");
    choice.new_database = Name::parse(name);
    EXPECT_NE(refusal([&] { filter(choice); }).find("cannot be the name"), std::string::npos);
  }
}

// What would climb out of the data directory comes neither into a plan nor into a meta.db.
TEST(ChooseShards, RefusesADatabaseWhoseNameNoDirectoryCanHave) {
  for (const std::string& name :
       {std::string("../../escape"), std::string("/etc"), std::string(".."), std::string()}) {
    const std::string lying = store(20, 7,
                                    database("a", policy("autogen", group(1, 1000, shard(1)))) +
                                        database(name, policy("autogen", group(2, 1000, shard(2)))),
                                    2, 2);
    for (const MetaChoice& choice :
         {choose(), choose(name), choose("", "autogen"), choose("", "", 2)}) {
      if (name.empty() && !choice.filter.shard && choice.filter.policy.empty() &&
          !choice.filter.databases.empty())
        continue;
      const std::string why = refusal([&] { filter_metastore(as_bytes(lying), choice, {}); });
      EXPECT_NE(why.find("which no directory can have"), std::string::npos) << why;
      EXPECT_NE(why.find("--database"), std::string::npos) << why;
    }
    EXPECT_EQ(filter_metastore(as_bytes(lying), choose("a"), {}).moves,
              (ShardMoves{{1, {"a", "autogen", 1}}}));
    EXPECT_FALSE(holds(filter_metastore(as_bytes(lying), choose("a"), {}).protobuf,
                       database(name, "").substr(2, 4 + name.size())));
  }
}

TEST(ChooseShards, RefusesAPolicyWhoseNameNoDirectoryCanHave) {
  const std::string lying = store(20, 7,
                                  database("a", policy("../x", group(1, 1000, shard(1))) +
                                                    policy("year", group(2, 1000, shard(2)))),
                                  2, 2);
  const std::string why = refusal([&] { filter_metastore(as_bytes(lying), choose("a"), {}); });
  EXPECT_NE(why.find("retention policy of the name '../x'"), std::string::npos) << why;
  EXPECT_EQ(filter_metastore(as_bytes(lying), choose("a", "year"), {}).moves,
            (ShardMoves{{2, {"a", "year", 2}}}));
  MetaChoice renamed = choose("a", "../x");
  renamed.new_policy = "x";
  EXPECT_EQ(filter_metastore(as_bytes(lying), renamed, {}).moves, (ShardMoves{{1, {"a", "x", 1}}}));
}

TEST(ChooseShards, ANewNameNeedsTheOneThatGetsIt) {
  MetaChoice choice = choose();
  choice.new_database = "c";
  EXPECT_NE(refusal([&] { filter(choice); }).find("--database"), std::string::npos);
  choice = choose("a");
  choice.new_policy = "c";
  EXPECT_NE(refusal([&] { filter(choice); }).find("--retention"), std::string::npos);
}

}  // namespace
}  // namespace tsmfs::snapshot
