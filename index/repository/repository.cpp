#include "index/repository/repository.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <unordered_set>
#include <vector>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/log.h"

namespace tsmfs::index {

namespace stdfs = std::filesystem;

namespace {

constexpr uint64_t kConfigBytesMax = 64 << 10;

// Packs or snapshots: a new config would make them those of another repository.
bool holds_data(const RepositoryPaths& paths) {
  for (const auto& part : {paths.packs(), paths.snapshots()}) {
    if (!directory_exists(part)) continue;
    for (const std::string& name : list_directory(part))
      if (name.find_first_not_of("0123456789abcdef") == std::string::npos) return true;
  }
  return false;
}

Config read_config(const RepositoryPaths& paths) {
  if (open_if_exists(paths.config(), O_RDONLY))
    return decode_config(read_whole_file(paths.config(), kConfigBytesMax), paths.config().string());
  if (holds_data(paths))
    throw NoRepositoryError(
        fmt::format("{} holds packs or snapshots, but the file named config is gone",
                    paths.root().string()),
        "put config back from a copy of this repository: it holds the id and the secret that "
        "the rest was made with; nothing was changed");
  throw NoRepositoryError(fmt::format("{} is not a tsmfs repository (it has no file named config)",
                                      paths.root().string()),
                          "name one with --repo or TSMFS_REPOSITORY; tsmfs backup creates one");
}

// A copy by way of git or an object store lacks the directories that are empty.
void make_skeleton(const RepositoryPaths& paths) {
  for (const auto& part : paths.skeleton()) make_directory(part);
  sync_directory(paths.root());
}

void clear_tmp(const RepositoryPaths& paths) {
  for (const std::string& name : list_directory(paths.tmp())) remove_tree(paths.tmp() / name);
}

std::vector<PackId> ids_on_disk(const PackStore& packs) {
  std::vector<PackId> ids;
  packs.for_each_id([&](const PackId& id) { ids.push_back(id); });
  return ids;
}

std::vector<PackId> packs_not_in_lookup(const Lookup& lookup, const PackStore& packs) {
  std::unordered_set<PackId, IdHash> indexed;
  lookup.for_each_pack([&](PackNumber, const PackRecord& record) { indexed.insert(record.id); });
  std::vector<PackId> ids = ids_on_disk(packs);
  std::erase_if(ids, [&](const PackId& id) { return indexed.contains(id); });
  return ids;
}

bool has_lossy_files(const Lookup& lookup) {
  bool found = false;
  lookup.for_each_file([&](const FileId&, const FilePlace& place) { found |= place.lossy; });
  return found;
}

// Packs that a killed writer finished but did not come to put into the lookup. False when the
// lookup is to be made again: it knows packs that are gone, or lacked some that others need.
bool reconcile(Lookup& lookup, const PackStore& packs) {
  std::unordered_set<PackId, IdHash> indexed;
  lookup.for_each_pack([&](PackNumber, const PackRecord& record) { indexed.insert(record.id); });
  std::vector<PackId> unindexed;
  for (const PackId& id : ids_on_disk(packs))
    if (indexed.erase(id) == 0) unindexed.push_back(id);
  if (!indexed.empty()) {
    log::warning(
        "{} packs of the index are gone, {} for instance; run tsmfs check to see what was lost",
        indexed.size(), indexed.begin()->hex());
    return false;
  }
  // What lacked a pack that was taken up just now may be whole again.
  return add_packs(lookup, packs, unindexed).packs == 0 || !has_lossy_files(lookup);
}

// 0 for a pack whose header is damaged, and for one of another repository.
uint64_t sequence_of(const stdfs::path& pack, const RepositoryId& repository) {
  std::array<std::byte, kPackHeaderBytes> header;
  try {
    pread_exactly(open_file(pack, O_RDONLY), 0, header, pack);
    const PackHeader decoded = decode_pack_header(header, pack.string());
    const bool counts = decoded.repository == repository &&
                        decoded.sequence < std::numeric_limits<PackNumber>::max();
    return counts ? decoded.sequence : 0;
  } catch (const Error& error) {
    log::debug("{}", error.what());
    return 0;
  }
}

std::unique_ptr<Lookup> open_lookup_for_writing(const RepositoryPaths& paths,
                                                const PackStore& packs) {
  if (path_exists(paths.index())) {
    try {
      auto lookup = Lookup::open_primary(paths.index(), /*create=*/false);
      if (reconcile(*lookup, packs)) return lookup;
    } catch (const CorruptError& error) {
      log::warning("{}; the index is made again", error.what());
    }
  }
  index::rebuild_lookup(paths, packs);
  return Lookup::open_primary(paths.index(), /*create=*/false);
}

}  // namespace

RepositoryPaths open_paths(const stdfs::path& root) {
  const RepositoryPaths paths(root);
  read_config(paths);
  return paths;
}

std::unique_ptr<Repository> Repository::open_reader(const stdfs::path& root,
                                                    size_t cache_bytes_max) {
  const RepositoryPaths paths(root);
  Config config = read_config(paths);
  if (!path_exists(paths.index()))
    throw CorruptError(fmt::format("{} has no index", root.string()),
                       "the packs hold everything: run tsmfs rebuild-index");
  auto lookup = Lookup::open_secondary(paths.index());
  return std::unique_ptr<Repository>(
      new Repository(paths, std::move(config), nullptr, std::move(lookup), cache_bytes_max));
}

std::unique_ptr<Repository> Repository::open_writer(const stdfs::path& root,
                                                    const LockRequest& request) {
  const RepositoryPaths paths(root);
  Config config = read_config(paths);
  make_skeleton(paths);
  auto lock = std::make_unique<WriterLock>(paths, request);
  clear_tmp(paths);
  auto lookup = open_lookup_for_writing(paths, PackStore(paths, config.id));
  return std::unique_ptr<Repository>(new Repository(paths, std::move(config), std::move(lock),
                                                    std::move(lookup), kCacheBytesDefault));
}

AddedPacks Repository::rebuild_lookup(const stdfs::path& root, const LockRequest& request) {
  const RepositoryPaths paths(root);
  const Config config = read_config(paths);
  make_skeleton(paths);
  const WriterLock lock(paths, request);
  return index::rebuild_lookup(paths, PackStore(paths, config.id));
}

AddedPacks Repository::rebuild_own_lookup() {
  AddedPacks added;
  lookup_->reopen_after(
      [&] { added = index::rebuild_lookup(paths_, PackStore(paths_, config_.id)); });
  return added;
}

std::vector<PackId> Repository::unindexed_packs() const {
  return packs_not_in_lookup(*lookup_, packs_);
}

// Packs that the lookup lacks count as well: one that was left out as damaged may be healed by a
// copy of it and come back, with its sequence.
uint64_t Repository::next_pack_sequence() const {
  uint64_t last = lookup_->last_pack_number().value_or(0);
  for (const PackId& id : unindexed_packs())
    last = std::max(last, sequence_of(paths_.pack(id), config_.id));
  if (directory_exists(paths_.quarantined_packs()))
    for (const std::string& name : list_directory(paths_.quarantined_packs()))
      last = std::max(last, sequence_of(paths_.quarantined_packs() / name, config_.id));
  return last + 1;
}

Repository::Repository(RepositoryPaths paths, Config config, std::unique_ptr<WriterLock> lock,
                       std::unique_ptr<Lookup> lookup, size_t cache_bytes_max)
    : paths_(std::move(paths)),
      config_(std::move(config)),
      lock_(std::move(lock)),
      lookup_(std::move(lookup)),
      packs_(paths_, config_.id),
      objects_(*lookup_, packs_, config_, cache_bytes_max) {}

}  // namespace tsmfs::index
