#include "index/rewrite/pack_repair.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "index/base/damage.h"
#include "index/base/error.h"
#include "index/base/log.h"
#include "index/format/object_keys.h"
#include "index/format/recipe_needs.h"
#include "index/repository/verify.h"
#include "index/rewrite/pack_rewriter.h"

namespace tsmfs::index {

namespace {

using KnownBlobs = std::unordered_map<PackId, std::vector<KnownBlob>, IdHash>;

// Where the lookup says that recipes and tree nodes lie in these packs.
KnownBlobs blobs_known_to_lookup(const Lookup& lookup, const std::vector<DamagedPack>& packs) {
  KnownBlobs known;
  for (const DamagedPack& pack : packs) known[pack.id];
  const auto note = [&](BlobKind kind, ByteView id, const BlobPlace& place) {
    if (const auto found = known.find(place.pack); found != known.end())
      found->second.push_back({kind, {Id<BlobTag>::from(id), place.length, place.logical_start}});
  };
  lookup.for_each_file([&](const FileId& id, const FilePlace& place) {
    note(BlobKind::kRecipe, id.view(), place.recipe);
  });
  lookup.for_each_tree(
      [&](const TreeId& id, const BlobPlace& place) { note(BlobKind::kTree, id.view(), place); });
  for (auto& [pack, blobs] : known)
    std::ranges::sort(blobs, {},
                      [](const KnownBlob& known_blob) { return known_blob.blob.logical_start; });
  return known;
}

class Quarantine {
 public:
  Quarantine(Repository& repository, std::vector<DamagedPack>& packs,
             const Compression& compression, const std::stop_token& stop)
      : repository_(repository),
        packs_(packs),
        stop_(stop),
        known_(blobs_known_to_lookup(repository.lookup(), packs)),
        rewriter_(repository, {compression}) {}

  void save() {
    for (const DamagedPack& pack : packs_) rewriter_.add_leaving(pack.id);
    for (DamagedPack& pack : packs_) save_chunks_and_trees(pack);
    save_recipes_of_other_packs();
    for (const DamagedPack& pack : packs_) save_recipes(pack);
    rewriter_.finish();
  }

 private:
  Salvage visit(const PackId& id, const VisitBlob& visit) {
    const auto object = repository_.storage().open_existing(pack_key(id));
    return salvage_pack(*object, id, repository_.key(), known_[id], visit, stop_);
  }

  void save_chunks_and_trees(DamagedPack& pack) {
    pack.salvage = visit(pack.id, [&](BlobKind kind, const BlobEntry& blob, ByteView bytes) {
      if (kind == BlobKind::kChunk) rewriter_.move_chunk(pack.id, blob, bytes);
      if (kind == BlobKind::kTree) rewriter_.add_tree(TreeId::from(blob.id.view()), bytes);
    });
  }

  void save_recipes_of_other_packs() {
    std::vector<FileId> files;
    repository_.lookup().for_each_file([&](const FileId& id, const FilePlace& place) {
      if (!known_.contains(place.recipe.pack)) files.push_back(id);
    });
    for (const FileId& id : files) {
      if (stop_.stop_requested()) throw Cancelled();
      try {
        rewriter_.move_file(id);
      } catch (const CorruptError& error) {
        log::warning("{}", error.what());
      }
    }
  }

  // A recipe in a damaged pack is the one to use unless the lookup has a whole one elsewhere.
  void save_recipes(const DamagedPack& pack) {
    visit(pack.id, [&](BlobKind kind, const BlobEntry& blob, ByteView bytes) {
      if (kind != BlobKind::kRecipe) return;
      const auto place = repository_.lookup().find_file(FileId::from(blob.id.view()));
      if (place && !place->lossy && !known_.contains(place->recipe.pack)) return;
      rewriter_.move_recipe(Recipe::decode(bytes, "a recipe"));
    });
  }

  Repository& repository_;
  std::vector<DamagedPack>& packs_;
  const std::stop_token& stop_;
  KnownBlobs known_;
  PackRewriter rewriter_;
};

// A chunk of a quarantined pack, and where else it is.
struct FoundChunk {
  uint32_t start = 0;
  uint32_t length = 0;
  NewPlace place;
};

// Finds the chunks of one pack in the others: goes through the lists of all, since the lookup knows
// hooks only.
class ChunkSearch {
 public:
  ChunkSearch(Repository& repository, const PackTables& tables) : repository_(repository) {
    for (const FrameEntry& frame : tables.frames) {
      if (frame.kind != BlobKind::kChunk) continue;
      for (uint32_t i = 0; i < frame.blob_count; ++i) {
        const BlobEntry& chunk = tables.blobs[frame.first_blob + i];
        if (chunk.length > 0) missing_.emplace(chunk.id, &chunk);
      }
    }
  }

  // In the order of their places in the quarantined pack.
  std::vector<FoundChunk> find() {
    std::vector<PackId> packs;
    repository_.lookup().for_each_pack(
        [&](PackNumber, const PackRecord& record) { packs.push_back(record.id); });
    std::vector<FoundChunk> found;
    for (const PackId& id : packs) find_in(id, found);
    std::ranges::sort(found, {}, &FoundChunk::start);
    return found;
  }

 private:
  void find_in(const PackId& id, std::vector<FoundChunk>& found) {
    if (missing_.empty()) return;
    for (const BlobEntry& other : repository_.packs().open(id)->read_blobs()) {
      const auto chunk = missing_.find(other.id);
      if (chunk == missing_.end() || chunk->second->length != other.length) continue;
      found.push_back({static_cast<uint32_t>(chunk->second->logical_start),
                       other.length,
                       {id, static_cast<uint32_t>(other.logical_start)}});
      missing_.erase(chunk);
    }
  }

  Repository& repository_;
  std::unordered_map<Id<BlobTag>, const BlobEntry*, IdHash> missing_;
};

std::vector<FileId> lossy_files(const Lookup& lookup) {
  std::vector<FileId> files;
  lookup.for_each_file([&](const FileId& id, const FilePlace& place) {
    if (place.lossy) files.push_back(id);
  });
  return files;
}

}  // namespace

std::vector<DamagedPack> find_damaged_packs(Repository& repository, const std::stop_token& stop) {
  std::vector<DamagedPack> damaged;
  repository.packs().for_each_id([&](const PackId& id) {
    auto damage = verify_pack(repository.packs(), id, repository.key(), ReadData::kYes, stop);
    if (!damage) return;
    refuse_newer(*damage);
    damaged.push_back({id, std::move(damage->what), {}});
  });
  return damaged;
}

void assess(Repository& repository, std::vector<DamagedPack>& packs, const std::stop_token& stop) {
  KnownBlobs known = blobs_known_to_lookup(repository.lookup(), packs);
  for (DamagedPack& pack : packs) {
    const auto object = repository.storage().open_existing(pack_key(pack.id));
    pack.salvage = salvage_pack(
        *object, pack.id, repository.key(), known[pack.id], [](auto&&...) {}, stop);
  }
}

void quarantine(Repository& repository, std::vector<DamagedPack>& packs,
                const Compression& compression, const std::stop_token& stop) {
  if (packs.empty()) return;
  Quarantine(repository, packs, compression, stop).save();
  for (const DamagedPack& pack : packs)
    repository.storage().move(pack_key(pack.id), quarantined_pack_key(pack.id));
  repository.rebuild_own_lookup();
}

size_t heal_recipes(Repository& repository, const Compression& compression,
                    const std::stop_token& stop) {
  const std::vector<FileId> lossy = lossy_files(repository.lookup());
  const Storage& storage = repository.storage();
  if (lossy.empty() || storage.list(kQuarantinedPacksFolder).empty()) return 0;
  PackRewriter rewriter(repository, {compression});
  for (const FileId& id : lossy) {
    const auto recipe = repository.objects().read_recipe(id);
    for (const PackId& pack : packs_needed(*recipe)) {
      if (rewriter.is_leaving(pack)) continue;
      const auto object = storage.open(quarantined_pack_key(pack));
      if (!object) continue;
      if (stop.stop_requested()) throw Cancelled();
      const auto tables = read_pack_tables(*object, pack);
      if (!tables) continue;
      rewriter.add_leaving(pack);
      for (const FoundChunk& chunk : ChunkSearch(repository, *tables).find())
        rewriter.add_move(pack, chunk.start, chunk.length, chunk.place);
    }
  }
  size_t healed = 0;
  for (const FileId& id : lossy)
    if (rewriter.improve_file(id)) ++healed;
  rewriter.finish();
  return healed;
}

}  // namespace tsmfs::index
