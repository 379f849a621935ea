#include "snapshot/influxdb/metastore_subset.h"

#include <gtest/gtest.h>

#include "index/base/error.h"
#include "snapshot/influxdb/metastore.h"
#include "tests/support/protobuf.h"

namespace tsmfs::snapshot {
namespace {

using support::protobuf::bytes;
using support::protobuf::number;

std::string group(uint64_t id, bool deleted = false) {
  return bytes(5, number(1, id + 100) + number(2, 1) + number(3, 2) +
                      (deleted ? number(4, 9) : "") + bytes(5, number(1, id)));
}
std::string policy_of(const std::string& name, const std::string& groups) {
  return bytes(3, bytes(1, name) + groups);
}

// Databases a (policies p: shards 1, 2, 3 deleted; q: 4) and b (p: 5), and a user.
const std::string kMetaDb =
    number(1, 1) + number(2, 7) + number(3, 77) +
    bytes(5, bytes(1, "a") + bytes(2, "p") + policy_of("p", group(1) + group(2) + group(3, true)) +
                 policy_of("q", group(4))) +
    bytes(5, bytes(1, "b") + bytes(2, "p") + policy_of("p", group(5))) +
    bytes(6, bytes(1, "admin") + bytes(2, "hash")) + number(7, 300);

// "a[p:1,2 q:4]default p" for each database.
std::string shape(const ByteBuffer& meta_db) {
  std::string text;
  const Metastore metastore = Metastore::parse(meta_db, "test");
  for (const MetaDatabase& database : metastore.databases()) {
    text += database.name + "[";
    for (const MetaPolicy& each : database.policies) {
      text += each.name + ":";
      for (const MetaShardGroup& one : each.groups) text += std::to_string(one.shards[0]) + ",";
    }
    text += "]" + database.default_policy;
  }
  return text;
}
std::string subset(const Filter& filter, const std::set<uint64_t>& shards) {
  return shape(metastore_subset(as_bytes(kMetaDb), filter, shards, "test"));
}

TEST(MetastoreSubset, KeepsWhatHasShardsAndIsNotDeleted) {
  EXPECT_EQ(subset({}, {1, 2, 3, 4, 5}), "a[p:1,2,q:4,]pb[p:5,]p");
  EXPECT_EQ(subset({}, {2}), "a[p:2,q:]pb[p:]p");
}

TEST(MetastoreSubset, KeepsOneDatabase) {
  Filter filter;
  filter.databases = {"a"};
  EXPECT_EQ(subset(filter, {1, 4}), "a[p:1,q:4,]p");
}

TEST(MetastoreSubset, DefaultPolicyThatIsGoneGivesWay) {
  Filter filter;
  filter.databases = {"a"};
  filter.policy = "q";
  EXPECT_EQ(subset(filter, {4}), "a[q:4,]q");
}

TEST(MetastoreSubset, OneShardIsAlone) {
  Filter filter;
  filter.shard = 4;
  EXPECT_EQ(subset(filter, {4}), "a[q:4,]q");
}

TEST(MetastoreSubset, LeavesUsersOut) {
  const ByteBuffer left = metastore_subset(as_bytes(kMetaDb), {}, {1}, "test");
  EXPECT_EQ(as_text(left).find("hash"), std::string_view::npos);
}

TEST(MetastoreSubset, TellsTheHighestNode) {
  EXPECT_EQ(metastore_max_node_id(as_bytes(kMetaDb), "test"), 300u);
  EXPECT_THROW(metastore_max_node_id(as_bytes("damaged"), "test"), CorruptError);
}

}  // namespace
}  // namespace tsmfs::snapshot
