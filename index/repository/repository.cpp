#include "index/repository/repository.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "index/base/invariant.h"
#include "index/base/log.h"
#include "index/format/object_keys.h"

namespace tsmfs::index {

namespace {

constexpr uint64_t kConfigBytesMax = 64 << 10;

// Packs or snapshots: a new config would make them those of another repository.
bool holds_data(const Storage& storage) {
  const auto is_data = [](const std::string& key) {
    return name_in_key(key).find_first_not_of("0123456789abcdef") == std::string_view::npos;
  };
  return std::ranges::any_of(std::array{kPacksFolder, kSnapshotsFolder}, [&](const char* folder) {
    return storage.has(folder) && std::ranges::any_of(storage.list(folder), is_data);
  });
}

Config read_config(const Storage& storage) {
  if (const auto stored = storage.get(kConfigKey, kConfigBytesMax))
    return decode_config(*stored, storage.location(kConfigKey));
  if (holds_data(storage))
    throw NoRepositoryError(
        fmt::format("{} holds packs or snapshots, but the file named config is gone",
                    storage.location()),
        "put config back from a copy of this repository: it holds the id and the secret that "
        "the rest was made with; nothing was changed");
  throw NoRepositoryError(
      fmt::format("{} is not a tsmfs repository (it has no file named config)", storage.location()),
      "name one with --repo or TSMFS_REPOSITORY; tsmfs backup creates one");
}

Config read_writable_config(const Storage& storage) {
  Config config = read_config(storage);
  require_writable(config, storage.location());
  return config;
}

void bring_to_todays_format(Storage& storage, Config& config) {
  const std::string news = bring_up_to_date(config);
  if (news.empty()) return;
  storage.replace(kConfigKey, as_bytes(encode_config(config)));
  log::warning("{} is a repository {} from now on: older versions of tsmfs will not open it",
               storage.location(), news);
}

std::unique_ptr<WriterLock> lock_for_writing(const RepositoryPlace& place,
                                             const LockRequest& request) {
  place.storage->complete();
  place.local.make();
  return place.storage->lock(request);
}

void clear_tmp(const LocalState& local) {
  for (const std::string& name : list_directory(local.tmp())) remove_tree(local.tmp() / name);
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
uint64_t sequence_of(const Storage& storage, const std::string& key,
                     const RepositoryId& repository) {
  std::array<std::byte, kPackHeaderBytes> header;
  try {
    storage.open_existing(key)->read(0, header);
    const PackHeader decoded = decode_pack_header(header, storage.location(key));
    const bool counts = decoded.repository == repository &&
                        decoded.sequence < std::numeric_limits<PackNumber>::max();
    return counts ? decoded.sequence : 0;
  } catch (const Error& error) {
    log::debug("{}", error.what());
    return 0;
  }
}

std::unique_ptr<Lookup> open_lookup_for_writing(const LocalState& local, const PackStore& packs) {
  if (path_exists(local.lookup())) {
    try {
      auto lookup = Lookup::open_primary(local.lookup(), /*create=*/false);
      if (reconcile(*lookup, packs)) return lookup;
    } catch (const CorruptError& error) {
      log::warning("{}; the index is made again", error.what());
    }
  }
  index::rebuild_lookup(local, packs);
  return Lookup::open_primary(local.lookup(), /*create=*/false);
}

}  // namespace

RepositoryPlace open_place(const RepositoryLocation& location) {
  RepositoryPlace place = location.open();
  read_config(*place.storage);
  return place;
}

std::unique_ptr<Repository> Repository::open_reader(const OpenOptions& options) {
  RepositoryPlace place = options.location.open();
  Config config = read_config(*place.storage);
  if (!path_exists(place.local.lookup()))
    throw CorruptError(fmt::format("{} has no index", place.storage->location()),
                       "the packs hold everything: run tsmfs rebuild-index");
  auto lookup = Lookup::open_secondary(place.local.lookup());
  return std::unique_ptr<Repository>(new Repository(std::move(place), std::move(config), nullptr,
                                                    std::move(lookup), options.cache_bytes));
}

std::unique_ptr<Repository> Repository::open_writer(const OpenOptions& options) {
  RepositoryPlace place = options.location.open();
  read_writable_config(*place.storage);
  auto lock = lock_for_writing(place, options.lock);
  clear_tmp(place.local);
  Config config = read_writable_config(*place.storage);  // as the writer before has left it
  if (options.changes == Changes::kWanted) bring_to_todays_format(*place.storage, config);
  auto lookup = open_lookup_for_writing(place.local, PackStore(*place.storage, config.id));
  return std::unique_ptr<Repository>(new Repository(std::move(place), std::move(config),
                                                    std::move(lock), std::move(lookup),
                                                    options.cache_bytes));
}

AddedPacks Repository::rebuild_lookup(const OpenOptions& options) {
  const RepositoryPlace place = options.location.open();
  const Config config = read_writable_config(*place.storage);
  const auto lock = lock_for_writing(place, options.lock);
  return index::rebuild_lookup(place.local, PackStore(*place.storage, config.id));
}

AddedPacks Repository::rebuild_own_lookup() {
  require_writer();
  AddedPacks added;
  lookup_->reopen_after(
      [&] { added = index::rebuild_lookup(local(), PackStore(storage(), config_.id)); });
  return added;
}

void Repository::require_writer() const {
  require_invariant(lock_ != nullptr, "who writes to a repository holds its lock");
}

std::vector<PackId> Repository::unindexed_packs() const {
  return packs_not_in_lookup(*lookup_, packs_);
}

// Packs that the lookup lacks count as well: one that was left out as damaged may be healed by a
// copy of it and come back, with its sequence.
uint64_t Repository::next_pack_sequence() const {
  uint64_t last = lookup_->last_pack_number().value_or(0);
  for (const PackId& id : unindexed_packs())
    last = std::max(last, sequence_of(storage(), pack_key(id), config_.id));
  for (const std::string& key : storage().list(kQuarantinedPacksFolder))
    last = std::max(last, sequence_of(storage(), key, config_.id));
  return last + 1;
}

Repository::Repository(RepositoryPlace place, Config config, std::unique_ptr<WriterLock> lock,
                       std::unique_ptr<Lookup> lookup, size_t cache_bytes_max)
    : place_(std::move(place)),
      config_(std::move(config)),
      lock_(std::move(lock)),
      lookup_(std::move(lookup)),
      packs_(storage(), config_.id),
      objects_(*lookup_, packs_, config_, cache_bytes_max) {}

}  // namespace tsmfs::index
