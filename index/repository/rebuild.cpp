#include "index/repository/rebuild.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "index/base/damage.h"
#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "index/base/log.h"
#include "index/pack/pack_reader.h"

namespace tsmfs::index {

namespace {

struct OrderedPack {
  uint64_t sequence = 0;
  PackId id;
};

void note_damage(AddedPacks& added, const std::string& what) {
  log::warning("{}; it is left out of the index", what);
  added.damaged.push_back(what);
}

}  // namespace

AddedPacks add_packs(Lookup& lookup, const PackStore& packs, const std::vector<PackId>& ids) {
  AddedPacks added;
  std::vector<OrderedPack> order;
  for (const PackId& id : ids) {
    const auto damage = find_damage([&] {
      order.push_back({packs.open_anew(id)->header().sequence, id});
    });
    if (damage) note_damage(added, damage->what);
  }
  std::sort(order.begin(), order.end(), [](const OrderedPack& a, const OrderedPack& b) {
    return std::pair(a.sequence, a.id) < std::pair(b.sequence, b.id);
  });
  for (const OrderedPack& pack : order) {
    try {
      PackContents contents = read_pack_contents(
          *packs.open_anew(pack.id), [&](const PackId& id) { return lookup.has_pack(id); });
      // The packs of two copies that were mixed may have one sequence. Neither is to hide the
      // other.
      const auto other = lookup.find_pack(static_cast<PackNumber>(pack.sequence));
      if (other && other->id != pack.id)
        contents.header.sequence = *lookup.last_pack_number() + uint64_t{1};
      lookup.add_pack(contents);
      ++added.packs;
    } catch (const CorruptError& error) {
      note_damage(added, error.what());
    }
  }
  return added;
}

AddedPacks rebuild_lookup(const LocalState& local, const PackStore& packs) {
  remove_tree(local.new_lookup());
  std::vector<PackId> ids;
  packs.for_each_id([&](const PackId& id) { ids.push_back(id); });
  log::info("making the index of {} packs", ids.size());
  AddedPacks added;
  {
    const auto lookup = Lookup::open_primary(local.new_lookup(), /*create=*/true);
    added = add_packs(*lookup, packs, ids);
  }
  if (path_exists(local.lookup()) && exchange_files(local.new_lookup(), local.lookup())) {
    sync_directory(local.root());
    remove_tree(local.new_lookup());
  } else {
    remove_tree(local.lookup());
    rename_file(local.new_lookup(), local.lookup());
  }
  sync_directory(local.root());
  return added;
}

}  // namespace tsmfs::index
