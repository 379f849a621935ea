#include "index/rewrite/prune_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tsmfs::index {
namespace {

constexpr uint64_t kPackBytes = 1000;

PackUse pack(PackNumber number, uint64_t live, uint64_t logical = kPackBytes) {
  PackUse use;
  use.number = number;
  use.record.file_bytes = logical;  // as if nothing compressed
  use.logical_bytes = logical;
  use.live_bytes = live;
  return use;
}

std::vector<PackNumber> numbers(const std::vector<PackUse>& packs) {
  std::vector<PackNumber> found;
  for (const PackUse& use : packs) found.push_back(use.number);
  std::ranges::sort(found);
  return found;
}

using Numbers = std::vector<PackNumber>;

TEST(PrunePlan, RemovesWhatNothingUsesWhateverMayStayUnused) {
  const PrunePlan plan = plan_prune({pack(1, 0), pack(2, 1000)}, 1, kPackBytes);
  EXPECT_EQ(numbers(plan.remove), Numbers{1});
  EXPECT_EQ(numbers(plan.keep), Numbers{2});
  EXPECT_TRUE(plan.rewrite.empty());
}

TEST(PrunePlan, RewritesTheEmptiestUntilLittleIsUnused) {
  const std::vector<PackUse> packs = {pack(1, 900), pack(2, 100), pack(3, 500), pack(4, 1000)};
  EXPECT_EQ(numbers(plan_prune(packs, 0, kPackBytes).rewrite), (Numbers{1, 2, 3}));
  // Without pack 2, 600 of 3 100 bytes are unused; without 3 also, 100 of 2 600.
  EXPECT_EQ(numbers(plan_prune(packs, 0.2, kPackBytes).rewrite), Numbers{2});
  EXPECT_EQ(numbers(plan_prune(packs, 0.05, kPackBytes).rewrite), (Numbers{2, 3}));
  EXPECT_TRUE(plan_prune(packs, 1, kPackBytes).rewrite.empty());
}

TEST(PrunePlan, JoinsSmallPacksOnceThereAreMany) {
  std::vector<PackUse> packs;
  for (PackNumber i = 0; i < kSmallPacksMax; ++i) packs.push_back(pack(i, 10, 10));
  packs.push_back(pack(1000, kPackBytes));
  EXPECT_TRUE(plan_prune(packs, 0.05, kPackBytes).rewrite.empty());
  packs.push_back(pack(1001, 10, 10));
  const PrunePlan plan = plan_prune(packs, 0.05, kPackBytes);
  EXPECT_EQ(plan.rewrite.size(), kSmallPacksMax + 1);
  EXPECT_EQ(numbers(plan.keep), Numbers{1000});
}

TEST(PrunePlan, PackWithoutBytesGoes) {
  EXPECT_EQ(numbers(plan_prune({pack(1, 0, 0)}, 0.05, kPackBytes).remove), Numbers{1});
}

}  // namespace
}  // namespace tsmfs::index
