#include "index/rewrite/prune_plan.h"

#include <algorithm>

namespace tsmfs::index {

namespace {

constexpr uint64_t kSmallPackShare = 16;  // a pack of less than this part of a full one is small

double unused_share(const PackUse& pack) {
  return static_cast<double>(pack.logical_bytes - pack.live_bytes) /
         static_cast<double>(pack.logical_bytes);
}

// The order in which packs are worth rewriting: most space gained for each byte moved.
void sort_by_unused_share(std::vector<PackUse>& packs) {
  std::sort(packs.begin(), packs.end(), [](const PackUse& a, const PackUse& b) {
    const double left = unused_share(a), right = unused_share(b);
    return left != right ? left > right : a.number < b.number;
  });
}

void move_if(std::vector<PackUse>& from, std::vector<PackUse>& to, const auto& condition) {
  const auto rest = std::stable_partition(from.begin(), from.end(),
                                          [&](const PackUse& pack) { return !condition(pack); });
  to.insert(to.end(), rest, from.end());
  from.erase(rest, from.end());
}

}  // namespace

uint64_t PackUse::unused_file_bytes() const {
  if (logical_bytes == 0) return live_bytes == 0 ? record.file_bytes : 0;
  return static_cast<uint64_t>(static_cast<double>(record.file_bytes) * unused_share(*this));
}

PrunePlan plan_prune(std::vector<PackUse> packs, double max_unused, uint64_t pack_bytes) {
  PrunePlan plan;
  move_if(packs, plan.remove, [](const PackUse& pack) { return pack.live_bytes == 0; });
  uint64_t used = 0, unused = 0;
  for (const PackUse& pack : packs) {
    unused += pack.unused_file_bytes();
    used += pack.record.file_bytes - pack.unused_file_bytes();
  }
  sort_by_unused_share(packs);
  for (const PackUse& pack : packs) {
    const uint64_t pack_unused = pack.unused_file_bytes();
    // Of what stays, which is what is used and what is left unused.
    const bool within =
        static_cast<double>(unused) <= max_unused * static_cast<double>(used + unused);
    if (within || pack_unused == 0) {
      plan.keep.push_back(pack);
      continue;
    }
    unused -= pack_unused;
    plan.rewrite.push_back(pack);
  }
  const auto is_small = [&](const PackUse& pack) {
    return pack.live_bytes < pack_bytes / kSmallPackShare;
  };
  if (std::ranges::count_if(plan.keep, is_small) > static_cast<ptrdiff_t>(kSmallPacksMax))
    move_if(plan.keep, plan.rewrite, is_small);
  return plan;
}

}  // namespace tsmfs::index
