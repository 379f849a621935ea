// One call of the storage fails while a catalog works: nothing else is lost by it.
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "index/format/object_keys.h"
#include "snapshot/model/catalog.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/memory_storage.h"

namespace tsmfs::snapshot {
namespace {

using test::FaultyStorage, test::When;

Manifest small_manifest(int64_t seconds) {
  Manifest manifest;
  manifest.id = index::random_id<index::SnapshotId>();
  manifest.time = manifest.finished = {seconds * 1'000'000'000};
  manifest.server = "db1";
  return manifest;
}

// A catalog of a pinned snapshot, one with a tag, and one with neither.
class CatalogFaultsTest : public ::testing::Test {
 protected:
  struct Made {
    test::MemoryStorage storage;
    SnapshotPtr pinned, tagged, plain;
  };
  static void make(Made& made) {
    Catalog catalog(made.storage);
    const auto add = [&](int64_t seconds, std::vector<std::string> tags) {
      Manifest manifest = *catalog.publish(small_manifest(seconds));
      manifest.tags = std::move(tags);
      return manifest.tags.empty() ? catalog.state()->snapshots.back() : catalog.amend(manifest);
    };
    made.pinned = add(1, {"keep"});
    made.tagged = add(2, {"weekly"});
    made.plain = add(3, {});
  }
  static SnapshotPtr find(const CatalogState& state, const index::SnapshotId& id) {
    for (const SnapshotPtr& snapshot : state.snapshots)
      if (snapshot->id == id) return snapshot;
    return nullptr;
  }
  // `work` on a catalog of the storage, with a fault; `check` on what is there then.
  static void try_with_faults(const std::function<void(Catalog&, const Made&)>& work,
                              const std::function<void(const CatalogState&, Made&)>& check) {
    size_t faults = 0;
    test::with_each_fault([&](size_t fails, When when) {
      Made made;
      make(made);
      FaultyStorage faulty(made.storage, fails, when);
      Catalog catalog(faulty);
      try {
        work(catalog, made);
      } catch (const IoError&) {
        ++faults;
      }
      SCOPED_TRACE("call " + std::to_string(fails));
      const auto state = Catalog(made.storage).refresh();
      EXPECT_TRUE(state->is_sound());
      EXPECT_TRUE(find(*state, made.pinned->id)->is_pinned());
      check(*state, made);
      return faulty.has_failed();
    });
    EXPECT_GT(faults, 0u);
  }
};

TEST_F(CatalogFaultsTest, APublishedSnapshotIsThereWholeOrNot) {
  try_with_faults([](Catalog& catalog, const Made&) { catalog.publish(small_manifest(4)); },
                  [](const CatalogState& state, const Made& made) {
                    EXPECT_GE(state.snapshots.size(), 3u);
                    EXPECT_TRUE(find(state, made.plain->id));
                  });
}

TEST_F(CatalogFaultsTest, TagsAreTheOldOnesOrTheNewOnes) {
  try_with_faults(
      [](Catalog& catalog, const Made& made) {
        Manifest manifest = *made.tagged;
        manifest.tags = {"monthly"};
        catalog.amend(manifest);
      },
      [](const CatalogState& state, const Made& made) {
        const auto tags = find(state, made.tagged->id)->tags;
        EXPECT_TRUE(tags == std::vector<std::string>{"weekly"} ||
                    tags == std::vector<std::string>{"monthly"});
      });
}

TEST_F(CatalogFaultsTest, WhatIsForgottenIsThereOrNotAndNoNumberComesBack) {
  try_with_faults(
      [](Catalog& catalog, const Made& made) {
        catalog.remove({made.tagged, made.plain});
      },
      [](const CatalogState& state, Made& made) {
        for (const SnapshotPtr& going : {made.tagged, made.plain})
          if (const auto left = find(state, going->id)) {
            EXPECT_EQ(left->tags, going->tags);
          }
        EXPECT_GT(Catalog(made.storage).publish(small_manifest(9))->number, made.plain->number);
      });
}

TEST_F(CatalogFaultsTest, AListNamesWhatItLacks) {
  try_with_faults(
      [](Catalog& catalog, const Made&) {
        const auto state = catalog.refresh();
        EXPECT_EQ(state->may_come_back, !state->is_sound());
        EXPECT_EQ(state->snapshots.size() + state->damaged.size(), 3u);
        EXPECT_EQ(state->doubts.size(), state->doubtful.size());
        for (const SnapshotPtr& snapshot : state->doubtful) EXPECT_TRUE(snapshot->is_pinned());
        if (state->damaged.empty()) {
          EXPECT_TRUE(state->snapshots.at(0)->is_pinned());
        }
        // What could not be read a moment ago is read again.
        if (state->may_come_back) {
          EXPECT_TRUE(catalog.refresh()->is_sound());
          EXPECT_EQ(catalog.state()->snapshots.size(), 3u);
        }
      },
      [](const CatalogState&, Made&) {});
}

}  // namespace
}  // namespace tsmfs::snapshot
