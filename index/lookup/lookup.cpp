#include "index/lookup/lookup.h"

#include <fmt/format.h>
#include <rocksdb/db.h>

#include <utility>

#include "index/base/error.h"
#include "index/base/invariant.h"
#include "index/lookup/lookup_batch.h"
#include "index/lookup/lookup_database.h"
#include "index/lookup/lookup_values.h"

namespace tsmfs::index {

namespace {

constexpr size_t kChangesAtOnce = 10'000;

}  // namespace

Lookup::Lookup(std::shared_ptr<LookupDatabase> database) : database_(std::move(database)) {}
Lookup::~Lookup() = default;

std::unique_ptr<Lookup> Lookup::open_primary(const std::filesystem::path& directory, bool create) {
  std::unique_ptr<Lookup> opened(new Lookup(LookupDatabase::open_primary(directory, create)));
  opened->learn_packs();
  return opened;
}

std::unique_ptr<Lookup> Lookup::open_secondary(const std::filesystem::path& directory) {
  return std::unique_ptr<Lookup>(new Lookup(LookupDatabase::open_secondary(directory)));
}

void Lookup::reopen_after(const std::function<void()>& work) {
  const std::filesystem::path directory = primary()->directory();
  database_.store(nullptr);
  work();
  database_.store(LookupDatabase::open_primary(directory, /*create=*/false));
  learn_packs();
}

void Lookup::learn_packs() {
  std::unordered_set<PackId, IdHash> packs;
  for_each_pack([&](PackNumber, const PackRecord& record) { packs.insert(record.id); });
  MutexLock lock(packs_mutex_);
  packs_ = std::move(packs);
}

// What is changed, or known of a primary alone.
std::shared_ptr<LookupDatabase> Lookup::primary() const {
  auto held = database();
  require_invariant(held && !held->is_secondary(), "only who writes changes the lookup");
  return held;
}

bool Lookup::has_pack(const PackId& id) const {
  primary();
  MutexLock lock(packs_mutex_);
  return packs_.contains(id);
}

std::vector<std::optional<PackNumber>> Lookup::find_hooks(std::span<const ChunkId> ids) const {
  const auto held = database();  // longer than the values that it pins
  std::vector<rocksdb::Slice> keys;
  keys.reserve(ids.size());
  for (const ChunkId& id : ids) keys.push_back(slice(id));
  std::vector<rocksdb::PinnableSlice> values(ids.size());
  std::vector<rocksdb::Status> statuses(ids.size());
  held->db().MultiGet(rocksdb::ReadOptions(), held->handle(kChunks), keys.size(), keys.data(),
                      values.data(), statuses.data());
  std::vector<std::optional<PackNumber>> found(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    check_status(statuses[i], "cannot read the index");
    found[i] = decode_chunk_value(view(values[i]));
  }
  return found;
}

std::optional<FilePlace> Lookup::find_file(const FileId& id) const {
  const auto value = database()->get(kFiles, slice(id));
  if (!value) return std::nullopt;
  return decode_file_place(as_bytes(*value));
}

std::optional<BlobPlace> Lookup::find_tree(const TreeId& id) const {
  const auto value = database()->get(kTrees, slice(id));
  if (!value) return std::nullopt;
  return decode_tree_place(as_bytes(*value));
}

std::optional<PackRecord> Lookup::find_pack(PackNumber number) const {
  const auto value = database()->get(kPacks, slice(encode_pack_key(number)));
  if (!value) return std::nullopt;
  return decode_pack_record(as_bytes(*value));
}

std::optional<PackNumber> Lookup::last_pack_number() const {
  const auto held = database();
  const std::unique_ptr<rocksdb::Iterator> it(
      held->db().NewIterator(rocksdb::ReadOptions(), held->handle(kPacks)));
  it->SeekToLast();
  check_status(it->status(), "cannot read the index");
  if (!it->Valid()) return std::nullopt;
  return decode_pack_key(view(it->key()));
}

void Lookup::for_each_pack(const std::function<void(PackNumber, const PackRecord&)>& visit) const {
  database()->for_each(kPacks, [&](ByteView key, ByteView value) {
    visit(decode_pack_key(key), decode_pack_record(value));
  });
}

void Lookup::for_each_file(
    const std::function<void(const FileId&, const FilePlace&)>& visit) const {
  database()->for_each(kFiles, [&](ByteView key, ByteView value) {
    check_id_key(key);
    visit(FileId::from(key), decode_file_place(value));
  });
}

void Lookup::for_each_tree(
    const std::function<void(const TreeId&, const BlobPlace&)>& visit) const {
  database()->for_each(kTrees, [&](ByteView key, ByteView value) {
    check_id_key(key);
    visit(TreeId::from(key), decode_tree_place(value));
  });
}

void Lookup::add_pack(const PackContents& pack) {
  for (const PackId& needed : pack.lists.needed)
    if (needed != pack.header.id && !has_pack(needed))
      throw InvariantError(fmt::format("a recipe in pack {} needs pack {}, which is not indexed",
                                       pack.header.id.hex(), needed.hex()));
  const auto held = primary();
  LookupBatch batch(*held);
  batch.put_pack(pack);
  batch.write();
  MutexLock lock(packs_mutex_);
  packs_.insert(pack.header.id);
}

size_t Lookup::settle(const std::function<FileFate(const FileId&)>& fate_of,
                      const std::function<bool(const TreeId&)>& tree_stays) {
  const auto held = primary();
  LookupBatch batch(*held);
  size_t forgotten = 0, in_batch = 0;
  const auto write_if_full = [&] {
    if (++in_batch % kChangesAtOnce == 0) batch.write();
  };
  for_each_file([&](const FileId& id, const FilePlace& place) {
    const FileFate fate = fate_of(id);
    if (fate == FileFate::kStays || (fate == FileFate::kLossy && place.lossy)) return;
    if (fate == FileFate::kGoes)
      batch.remove_file(id);
    else
      batch.put_file(id, {place.recipe, /*lossy=*/true});
    forgotten += fate == FileFate::kGoes ? 1 : 0;
    write_if_full();
  });
  for_each_tree([&](const TreeId& id, const BlobPlace&) {
    if (tree_stays(id)) return;
    batch.remove_tree(id);
    ++forgotten;
    write_if_full();
  });
  if (in_batch % kChangesAtOnce != 0) batch.write();
  return forgotten;
}

void Lookup::remove_pack(PackNumber number, const std::vector<FrameEntry>& frames,
                         const std::vector<BlobEntry>& blobs) {
  const auto record = find_pack(number);
  if (!record) return;
  const auto held = primary();
  LookupBatch batch(*held);
  batch.remove_pack(number, record->id, frames, blobs);
  batch.write();
  MutexLock lock(packs_mutex_);
  packs_.erase(record->id);
}

// A lookup that was made again has taken the directory's name.
void Lookup::catch_up() {
  const auto held = database();
  if (!held->is_secondary()) return;
  if (!held->catch_up()) database_.store(LookupDatabase::open_secondary(held->directory()));
}

}  // namespace tsmfs::index
