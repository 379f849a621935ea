#include "snapshot/upkeep/retention.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "index/base/error.h"
#include "snapshot/model/wholeness.h"

namespace tsmfs::snapshot {
namespace {

SnapshotPtr at(const std::string& time, std::vector<std::string> tags = {}) {
  Manifest manifest;
  manifest.id = index::random_id<index::SnapshotId>();
  manifest.time = parse_rfc3339(time);
  manifest.server = "db1";
  manifest.tags = std::move(tags);
  return std::make_shared<const Manifest>(manifest);
}

using Times = std::vector<std::string>;

Times kept(const std::vector<SnapshotPtr>& snapshots, const RetentionPolicy& policy) {
  Times times;
  for (const Decision& decision : decide(snapshots, policy))
    if (decision.keeps()) times.push_back(format_rfc3339(decision.snapshot->time));
  return times;
}

std::vector<SnapshotPtr> every(int64_t step_s, size_t count, const std::string& first) {
  std::vector<SnapshotPtr> snapshots;
  for (size_t i = 0; i < count; ++i) {
    Manifest manifest = *at(first);
    manifest.time.unix_ns += static_cast<int64_t>(i) * step_s * 1'000'000'000;
    manifest.number = static_cast<uint32_t>(i + 1);
    snapshots.push_back(std::make_shared<const Manifest>(manifest));
  }
  return snapshots;
}

TEST(Retention, LastKeepsTheNewest) {
  RetentionPolicy policy;
  policy.last = 2;
  EXPECT_EQ(kept(every(3600, 5, "2026-01-01T00:00:00Z"), policy),
            (Times{"2026-01-01T04:00:00Z", "2026-01-01T03:00:00Z"}));
}

TEST(Retention, DailyKeepsTheNewestOfEachDayThatHasOne) {
  RetentionPolicy policy;
  policy.daily = 3;
  const std::vector<SnapshotPtr> snapshots = {
      at("2026-01-01T01:00:00Z"), at("2026-01-05T23:59:59Z"), at("2026-01-06T00:00:00Z"),
      at("2026-01-06T12:00:00Z"), at("2026-01-02T01:00:00Z")};
  EXPECT_EQ(kept(snapshots, policy),
            (Times{"2026-01-06T12:00:00Z", "2026-01-05T23:59:59Z", "2026-01-02T01:00:00Z"}));
}

TEST(Retention, WeeksBeginOnMonday) {
  RetentionPolicy policy;
  policy.weekly = 5;
  // 2026-11-22 is a Sunday.
  EXPECT_EQ(kept({at("2026-11-22T12:00:00Z"), at("2026-11-23T12:00:00Z"),
                  at("2026-11-16T12:00:00Z"), at("2026-11-15T12:00:00Z")},
                 policy),
            (Times{"2026-11-23T12:00:00Z", "2026-11-22T12:00:00Z", "2026-11-15T12:00:00Z"}));
}

TEST(Retention, MonthsAndYearsAreThoseOfTheCalendar) {
  RetentionPolicy policy;
  policy.monthly = 2;
  policy.yearly = 3;
  EXPECT_EQ(
      kept({at("2024-02-29T00:00:00Z"), at("2025-12-31T23:00:00Z"), at("2026-01-01T00:00:00Z"),
            at("2026-01-31T00:00:00Z"), at("2023-06-01T00:00:00Z")},
           policy),
      (Times{"2026-01-31T00:00:00Z", "2025-12-31T23:00:00Z", "2024-02-29T00:00:00Z"}));
}

TEST(Retention, WithinCountsFromTheNewestNotFromTheClock) {
  RetentionPolicy policy;
  policy.within = CalendarSpan::parse("1d");
  EXPECT_EQ(
      kept({at("2001-01-01T00:00:00Z"), at("2001-01-02T12:00:00Z"), at("2001-01-03T00:00:00Z")},
           policy),
      (Times{"2001-01-03T00:00:00Z", "2001-01-02T12:00:00Z"}));
}

TEST(Retention, OneFromTheFutureTakesTheNewestPlaceAndNoOther) {
  RetentionPolicy policy;
  policy.last = 2;
  policy.daily = 2;
  EXPECT_EQ(
      kept({at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"), at("2200-01-01T00:00:00Z")},
           policy),
      (Times{"2200-01-01T00:00:00Z", "2026-01-02T00:00:00Z"}));
}

TEST(Retention, TagsAndPinsKeep) {
  RetentionPolicy policy;
  policy.last = 1;
  policy.tags = {"monday"};
  const auto decisions =
      decide({at("2026-01-01T00:00:00Z", {"keep"}), at("2026-01-02T00:00:00Z", {"monday"}),
              at("2026-01-03T00:00:00Z", {"other"}), at("2026-01-04T00:00:00Z")},
             policy);
  ASSERT_EQ(decisions.size(), 4u);
  EXPECT_EQ(decisions[0].reasons, std::vector<std::string>{"last"});
  EXPECT_FALSE(decisions[1].keeps());
  EXPECT_EQ(decisions[2].reasons, std::vector<std::string>{"tag monday"});
  EXPECT_EQ(decisions[3].reasons, std::vector<std::string>{"pinned"});
}

TEST(Retention, GroupsByHostAndByWhatWasAskedFor) {
  Manifest one = *at("2026-01-01T00:00:00Z");
  Manifest two = one, three = one;
  two.server = "db2";
  three.filter.databases = {"telegraf"};
  const std::vector<SnapshotPtr> all = {std::make_shared<const Manifest>(one),
                                        std::make_shared<const Manifest>(two),
                                        std::make_shared<const Manifest>(three)};
  EXPECT_EQ(group(all, Grouping::parse("host,database")).size(), 3u);
  EXPECT_EQ(group(all, Grouping::parse("host")).size(), 2u);
  EXPECT_EQ(group(all, Grouping::parse("database")).size(), 2u);
  EXPECT_EQ(group(all, Grouping::parse("")).size(), 1u);
  EXPECT_EQ(group(all, Grouping::parse("host")).at(0).name, "host db1");
  EXPECT_THROW(Grouping::parse("hosts"), UsageError);
}

// A snapshot that lacks a shard.
SnapshotPtr lesser(const std::string& time) {
  Manifest manifest = *at(time);
  manifest.problems.push_back({Problem::Severity::kIncomplete, "db/rp/1", "is not offered"});
  return std::make_shared<const Manifest>(manifest);
}
SnapshotPtr only(const std::string& time, const Filter& filter,
                 const std::vector<std::string>& databases = {"db", "other"}) {
  Manifest manifest = *at(time);
  manifest.filter = filter;
  manifest.databases = databases;
  return std::make_shared<const Manifest>(manifest);
}

TEST(Retention, ALesserSnapshotTakesNoWholeOnesPlace) {
  RetentionPolicy policy;
  policy.last = 1;
  EXPECT_EQ(kept({at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"),
                  lesser("2026-01-03T00:00:00Z"), lesser("2026-01-04T00:00:00Z")},
                 policy),
            (Times{"2026-01-04T00:00:00Z", "2026-01-02T00:00:00Z"}));
  policy.last = 0;
  policy.daily = 2;
  EXPECT_EQ(kept({at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"),
                  lesser("2026-01-02T12:00:00Z"), lesser("2026-01-03T00:00:00Z")},
                 policy),
            (Times{"2026-01-03T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"}));
}

TEST(Retention, ANarrowerSelectionTakesNoWiderOnesPlace) {
  Filter database, shard, metastore;
  database.databases = shard.databases = {"a"};
  shard.shard = 7;
  metastore.metastore_only = true;
  RetentionPolicy policy;
  policy.last = 1;
  EXPECT_EQ(kept({only("2026-01-01T00:00:00Z", database, {"a"}),
                  only("2026-01-02T00:00:00Z", database, {"a"}),
                  only("2026-01-03T00:00:00Z", shard, {"a"}),
                  only("2026-01-04T00:00:00Z", metastore, {})},
                 policy),
            (Times{"2026-01-04T00:00:00Z", "2026-01-02T00:00:00Z"}));
}

TEST(Retention, LesserOnesGoBeforeTheOldestThatIsKeptWhole) {
  RetentionPolicy policy;
  policy.last = 2;
  EXPECT_EQ(kept({lesser("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"),
                  lesser("2026-01-03T00:00:00Z"), at("2026-01-04T00:00:00Z")},
                 policy),
            (Times{"2026-01-04T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-02T00:00:00Z"}));
}

TEST(Retention, LesserOnesAloneAreKeptByTheRules) {
  RetentionPolicy policy;
  policy.last = 1;
  EXPECT_EQ(kept({lesser("2026-01-01T00:00:00Z"), lesser("2026-01-02T00:00:00Z")}, policy),
            (Times{"2026-01-02T00:00:00Z"}));
}

TEST(Retention, WithinCountsFromTheNewestWholeOneToo) {
  RetentionPolicy policy;
  policy.within = CalendarSpan::parse("1d");
  EXPECT_EQ(kept({at("2026-01-01T00:00:00Z"), lesser("2026-01-05T00:00:00Z")}, policy),
            (Times{"2026-01-05T00:00:00Z", "2026-01-01T00:00:00Z"}));
}

TEST(Retention, AnotherSelectionTakesNoPlaceAlsoInOneGroup) {
  Filter database, shard, metastore;
  database.databases = {"db"};
  shard.shard = 7;
  metastore.metastore_only = true;
  RetentionPolicy policy;
  policy.last = 1;
  const std::vector<SnapshotPtr> all = {
      at("2026-01-01T00:00:00Z"), only("2026-01-02T00:00:00Z", database),
      only("2026-01-03T00:00:00Z", shard), only("2026-01-04T00:00:00Z", metastore)};
  EXPECT_EQ(group(all, Grouping{}).size(), 4u);
  EXPECT_EQ(kept(all, policy), (Times{"2026-01-04T00:00:00Z", "2026-01-01T00:00:00Z"}));
}

TEST(Retention, GroupsByTheWholeSelection) {
  Filter policy, range;
  policy.databases = range.databases = {"db"};
  policy.policy = "rp";
  range.range = TimeRange{{0}, {1}};
  Filter database = policy;
  database.policy.clear();
  const auto groups =
      group({only("2026-01-01T00:00:00Z", policy), only("2026-01-01T00:00:00Z", range),
             only("2026-01-01T00:00:00Z", database)},
            Grouping{});
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[2].name, "host db1, database db, policy rp");
}

TEST(Wholeness, SaysWhatASnapshotLacksOfWhatIsAsked) {
  Filter everything, database, other, shard;
  database.databases = {"db"};
  other.databases = {"other"};
  shard.shard = 1;
  const SnapshotPtr narrow = only("2026-01-01T00:00:00Z", database);
  EXPECT_EQ(lacks_text(*narrow, everything), "holds only database db");
  EXPECT_EQ(lacks_text(*narrow, database), "");
  EXPECT_EQ(lacks_text(*narrow, other), "holds only database db");
  const SnapshotPtr one_shard = only("2026-01-01T00:00:00Z", shard);
  EXPECT_EQ(lacks_text(*one_shard, database), "holds only shard 1");
  EXPECT_EQ(lacks_text(*one_shard, shard), "");
  Manifest broken = *only("2026-01-01T00:00:00Z", {});
  broken.problems.push_back({Problem::Severity::kIncomplete, "db/rp/1", "is not offered"});
  EXPECT_EQ(lacks_text(broken, everything), "lacks db/rp/1");
  EXPECT_EQ(lacks_text(broken, database), "lacks db/rp/1");
  EXPECT_EQ(lacks_text(broken, other), "");
  EXPECT_EQ(lacks_text(broken, shard), "lacks db/rp/1");
  broken.partial = true;
  EXPECT_EQ(lacks_text(broken, other), "is partial");
}

TEST(Wholeness, FindsTheLastWholeSnapshotOfEachDatabase) {
  Filter database, metastore;
  database.databases = {"db"};
  metastore.metastore_only = true;
  const SnapshotPtr all = only("2026-01-01T00:00:00Z", {}, {"db", "other", "dropped"}),
                    one = only("2026-01-02T00:00:00Z", database),
                    none = only("2026-01-03T00:00:00Z", metastore);
  CatalogState state;
  state.snapshots = {all, one, none};
  EXPECT_TRUE(last_whole_among(state, {one, none}).empty());
  const auto last = last_whole_among(state, {all});
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(last[0].database, "other");
  EXPECT_EQ(last[0].snapshot->id, all->id);
  EXPECT_EQ(last_whole_among(state, {all, one}).size(), 2u);
}

// Properties of any policy over any history.

std::vector<SnapshotPtr> any_history() {
  std::vector<SnapshotPtr> snapshots;
  const auto times = *rc::gen::container<std::vector<int64_t>>(
      rc::gen::inRange<int64_t>(0, int64_t{3} * 366 * 86400));
  for (const int64_t time : times) {
    Manifest manifest;
    manifest.id = index::random_id<index::SnapshotId>();
    manifest.number = static_cast<uint32_t>(snapshots.size() + 1);
    manifest.time.unix_ns = time * 1'000'000'000;
    if (*rc::gen::inRange(0, 4) == 0)
      manifest.problems.push_back({Problem::Severity::kIncomplete, "", "lacks something"});
    snapshots.push_back(std::make_shared<const Manifest>(manifest));
  }
  return snapshots;
}

RetentionPolicy any_policy() {
  RetentionPolicy policy;
  for (size_t* rule : {&policy.last, &policy.hourly, &policy.daily, &policy.weekly, &policy.monthly,
                       &policy.yearly})
    *rule = *rc::gen::inRange<size_t>(0, 6);
  return policy;
}

std::set<uint32_t> kept_numbers(const std::vector<SnapshotPtr>& snapshots,
                                const RetentionPolicy& policy) {
  std::set<uint32_t> numbers;
  for (const Decision& decision : decide(snapshots, policy))
    if (decision.keeps()) numbers.insert(decision.snapshot->number);
  return numbers;
}

TEST(Retention, KeepsAsManyAsTheRulesAllow) {
  EXPECT_TRUE(rc::check([] {
    const auto snapshots = any_history();
    const RetentionPolicy policy = any_policy();
    const size_t count = kept_numbers(snapshots, policy).size();
    const auto whole = static_cast<size_t>(std::ranges::count_if(
        snapshots, [](const SnapshotPtr& snapshot) { return is_whole(*snapshot); }));
    RC_ASSERT(count >= std::min(policy.last, whole));
    RC_ASSERT(count <= 2 * (policy.last + policy.hourly + policy.daily + policy.weekly +
                            policy.monthly + policy.yearly));
    RC_ASSERT(decide(snapshots, policy).size() == snapshots.size());
  }));
}

TEST(Retention, OrderOfTheListDoesNotMatter) {
  EXPECT_TRUE(rc::check([] {
    auto snapshots = any_history();
    const RetentionPolicy policy = any_policy();
    const auto before = kept_numbers(snapshots, policy);
    std::ranges::reverse(snapshots);
    RC_ASSERT(kept_numbers(snapshots, policy) == before);
  }));
}

TEST(Retention, OneMoreOfARuleNeverRemoves) {
  EXPECT_TRUE(rc::check([] {
    const auto snapshots = any_history();
    const RetentionPolicy policy = any_policy();
    const auto before = kept_numbers(snapshots, policy);
    for (size_t RetentionPolicy::*rule :
         {&RetentionPolicy::last, &RetentionPolicy::hourly, &RetentionPolicy::daily,
          &RetentionPolicy::weekly, &RetentionPolicy::monthly, &RetentionPolicy::yearly}) {
      RetentionPolicy more = policy;
      ++(more.*rule);
      const auto after = kept_numbers(snapshots, more);
      RC_ASSERT(std::ranges::includes(after, before));
    }
  }));
}

// The newest snapshot forgotten twice in a row: the second run has nothing left to do.
TEST(Retention, ASecondRunForgetsNothing) {
  EXPECT_TRUE(rc::check([] {
    const auto snapshots = any_history();
    const RetentionPolicy policy = any_policy();
    std::vector<SnapshotPtr> left;
    for (const Decision& decision : decide(snapshots, policy))
      if (decision.keeps()) left.push_back(decision.snapshot);
    RC_ASSERT(kept_numbers(left, policy).size() == left.size());
  }));
}

}  // namespace
}  // namespace tsmfs::snapshot
