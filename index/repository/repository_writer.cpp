#include "index/repository/repository_writer.h"

#include <fmt/format.h>

#include <atomic>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "index/base/error.h"
#include "index/base/log.h"
#include "index/base/mutex.h"
#include "index/format/recipe_needs.h"
#include "index/lookup/known_chunks.h"
#include "index/pack/pack_filler.h"
#include "index/repository/repository.h"

namespace tsmfs::index {

namespace {

// Asking the lookup goes in steps that grow: the first hits bring their packs' lists, which
// mostly answer the rest.
constexpr size_t kFirstLookUpStep = 8;
constexpr size_t kLookUpStepGrowth = 4;

}  // namespace

class RepositoryWriter::Impl {
 public:
  Impl(Repository& repository, const WriterOptions& options)
      : repository_(repository),
        filler_({repository.storage(), repository.config(), repository.next_pack_sequence(),
                 options.compression, options.compression_threads,
                 [this](const PackContents& pack) { take_durable(pack); }}) {
    repository.require_writer();
  }

  std::optional<StoredFile> find_file(const FileId& id, uint64_t size, FileKind kind);
  StoredFile put_file(ByteSource& source, const FileId& id, FileKind kind,
                      const std::stop_token& stop);
  TreeId put_tree(ByteView encoded);
  Holding holding_of(const FileId& id) { return find_known(id).holding; }
  bool holds_tree(const TreeId& id);
  void flush();
  WriterTotals totals() const;
  const DigestKey& key() const { return repository_.key(); }

 private:
  struct Known {
    Holding holding = Holding::kNothing;
    std::string defect;  // of the whole file
  };
  Known find_known(const FileId& id);
  void require_pack(const PackId& id);
  uint64_t store_batch(const CutBatch& batch, RecipeBuilder& recipe);
  void look_up(const std::vector<ChunkId>& ids);
  void load_pack(PackNumber number);
  ChunkPlace place_chunk(const ChunkId& id, ByteView bytes, uint64_t& new_bytes)
      TSMFS_REQUIRES(mutex_);
  void add_recipe(const FileId& id, const RecipeBuilder& recipe, const std::string& defect);
  void take_durable(const PackContents& pack);

  Repository& repository_;
  mutable Mutex mutex_;
  KnownChunks known_ TSMFS_GUARDED_BY(mutex_);
  std::unordered_map<FileId, std::string, IdHash> held_files_
      TSMFS_GUARDED_BY(mutex_);  // put or found as a whole, with their defects
  std::unordered_set<TreeId, IdHash> held_trees_ TSMFS_GUARDED_BY(mutex_);   // put, or read
  std::unordered_set<PackId, IdHash> sound_packs_ TSMFS_GUARDED_BY(mutex_);  // that open
  WriterTotals totals_ TSMFS_GUARDED_BY(mutex_);
  std::atomic<uint64_t> stored_bytes_ = 0;
  PackFiller filler_ TSMFS_GUARDED_BY(mutex_);  // last: its threads use the rest
};

std::optional<StoredFile> RepositoryWriter::Impl::find_file(const FileId& id, uint64_t size,
                                                            FileKind kind) {
  const Known known = find_known(id);
  if (known.holding != Holding::kAll) return std::nullopt;  // what is lossy heals by being stored
  return StoredFile{id, size, true, 0, kind == FileKind::kTsm ? known.defect : std::string()};
}

StoredFile RepositoryWriter::Impl::put_file(ByteSource& source, const FileId& id, FileKind kind,
                                            const std::stop_token& stop) {
  if (auto known = find_file(id, source.size(), kind)) return *known;
  StoredFile result{id, source.size(), false, 0, {}};
  FileCutter cutter(source, kind);
  RecipeBuilder recipe(id);
  DigestStream digest(key());
  CutBatch batch;
  while (cutter.next(batch)) {
    if (stop.stop_requested()) throw Cancelled();
    digest.update(batch.bytes);
    if (batch.literal())
      recipe.add_literal(batch.bytes);
    else
      result.new_bytes += store_batch(batch, recipe);
  }
  if (digest.file_id() != id)
    throw CorruptError("the content of file " + id.hex() + " changed while it was stored",
                       "run the command again");
  result.tsm_defect = cutter.tsm_defect();
  recipe.set_tsm_defect(result.tsm_defect);
  add_recipe(id, recipe, result.tsm_defect);
  return result;
}

// An entry in the lookup is no promise: its recipe is read, and the packs that it needs are opened.
RepositoryWriter::Impl::Known RepositoryWriter::Impl::find_known(const FileId& id) {
  {
    MutexLock lock(mutex_);
    if (const auto found = held_files_.find(id); found != held_files_.end())
      return {Holding::kAll, found->second};
  }
  const Lookup& lookup = repository_.lookup();
  const auto place = lookup.find_file(id);
  if (!place) return {};
  if (place->lossy) return {Holding::kPart, {}};
  try {
    const auto recipe = repository_.objects().read_recipe(id);
    for (const PackId& pack : packs_needed(*recipe)) require_pack(pack);
    MutexLock lock(mutex_);
    held_files_.emplace(id, recipe->tsm_defect());
    return {Holding::kAll, recipe->tsm_defect()};
  } catch (const Error& error) {
    log::warning("{}; the file counts as not stored", error.what());
    return {Holding::kPart, {}};
  }
}

// Throws: CorruptError for a pack that is gone, or cut short; IoError.
void RepositoryWriter::Impl::require_pack(const PackId& id) {
  if (!repository_.lookup().has_pack(id))
    throw CorruptError(fmt::format("pack {}, which it needs, is gone", id.hex()));
  {
    MutexLock lock(mutex_);
    if (sound_packs_.contains(id)) return;
  }
  repository_.packs().open(id);
  MutexLock lock(mutex_);
  sound_packs_.insert(id);
}

// Returns the bytes of chunks that were not stored before.
uint64_t RepositoryWriter::Impl::store_batch(const CutBatch& batch, RecipeBuilder& recipe) {
  std::vector<ChunkId> ids;
  ids.reserve(batch.lengths.size());
  size_t offset = 0;
  for (const uint32_t length : batch.lengths) {
    ids.push_back(key().digest<ChunkId>(batch.bytes.subspan(offset, length)));
    offset += length;
  }
  look_up(ids);
  uint64_t new_bytes = 0;
  offset = 0;
  MutexLock lock(mutex_);
  for (size_t i = 0; i < ids.size(); ++i) {
    const uint32_t length = batch.lengths[i];
    const ChunkPlace place = place_chunk(ids[i], batch.bytes.subspan(offset, length), new_bytes);
    recipe.add_copy(known_.pack_id(place.pack), place.logical_start, length);
    offset += length;
  }
  totals_.new_chunk_bytes += new_bytes;
  return new_bytes;
}

// Makes known_ know those of `ids` that are stored, as far as hooks lead to them. Afterwards a
// chunk that it does not know is taken for a new one.
void RepositoryWriter::Impl::look_up(const std::vector<ChunkId>& ids) {
  const auto is_no_hook = [](const ChunkId& id) { return !is_hook(id); };
  auto drop_known = [&](const std::vector<ChunkId>& from, size_t begin) {
    std::vector<ChunkId> left;
    MutexLock lock(mutex_);
    for (size_t i = begin; i < from.size(); ++i)
      if (!known_.find(from[i])) left.push_back(from[i]);
    return left;
  };
  std::vector<ChunkId> open = drop_known(ids, 0);
  std::erase_if(open, is_no_hook);
  for (size_t step = kFirstLookUpStep; !open.empty(); step *= kLookUpStepGrowth) {
    const size_t count = std::min(step, open.size());
    const auto found = repository_.lookup().find_hooks(std::span(open).first(count));
    std::unordered_set<PackNumber> packs;
    for (const auto& pack : found)
      if (pack) packs.insert(*pack);
    for (const PackNumber pack : packs) load_pack(pack);
    open = packs.empty()
               ? std::vector<ChunkId>(open.begin() + static_cast<ptrdiff_t>(count), open.end())
               : drop_known(open, count);
  }
}

// A pack that cannot be read is no place to refer to: its chunks are stored again, which heals what
// is lost.
void RepositoryWriter::Impl::load_pack(PackNumber number) {
  try {
    const auto record = repository_.lookup().find_pack(number);
    if (!record) return;
    const auto pack = repository_.packs().open(record->id);
    const auto blobs = pack->read_blobs();
    MutexLock lock(mutex_);
    known_.add_pack(record->id, pack->frames(), blobs);
  } catch (const Error& error) {
    log::warning("{}; what it held is stored again where it is needed", error.what());
  }
}

ChunkPlace RepositoryWriter::Impl::place_chunk(const ChunkId& id, ByteView bytes,
                                               uint64_t& new_bytes) {
  const auto length = static_cast<uint32_t>(bytes.size());
  if (const ChunkPlace* place = known_.find(id); place && place->length == length) return *place;
  const NewPlace added = filler_.add_chunk(id, bytes);
  const ChunkPlace place{known_.number_of(added.pack), added.logical_start, length};
  known_.add(id, place);
  new_bytes += length;
  return place;
}

void RepositoryWriter::Impl::add_recipe(const FileId& id, const RecipeBuilder& recipe,
                                        const std::string& defect) {
  ByteBuffer encoded = recipe.encode();
  MutexLock lock(mutex_);
  if (!held_files_.emplace(id, defect).second) return;  // another thread was faster
  filler_.add_recipe(id, std::move(encoded), {packs_needed(recipe.recipe())});
}

TreeId RepositoryWriter::Impl::put_tree(ByteView encoded) {
  const TreeId id = key().digest<TreeId>(encoded);
  if (holds_tree(id)) return id;
  MutexLock lock(mutex_);
  if (held_trees_.insert(id).second)
    filler_.add_tree(id, ByteBuffer(encoded.begin(), encoded.end()));
  return id;
}

// As for files: a node that the lookup knows is read, so that one in a damaged pack is stored
// again.
bool RepositoryWriter::Impl::holds_tree(const TreeId& id) {
  {
    MutexLock lock(mutex_);
    if (held_trees_.contains(id)) return true;
  }
  if (!repository_.lookup().find_tree(id)) return false;
  try {
    repository_.objects().read_tree(id);
  } catch (const Error& error) {
    log::warning("{}; the directory counts as not stored", error.what());
    return false;
  }
  MutexLock lock(mutex_);
  held_trees_.insert(id);
  return true;
}

void RepositoryWriter::Impl::take_durable(const PackContents& pack) {
  repository_.lookup().add_pack(pack);
  stored_bytes_ += pack.file_bytes;
}

void RepositoryWriter::Impl::flush() {
  MutexLock lock(mutex_);
  filler_.drain();
}

WriterTotals RepositoryWriter::Impl::totals() const {
  MutexLock lock(mutex_);
  WriterTotals totals = totals_;
  totals.stored_bytes = stored_bytes_;
  return totals;
}

RepositoryWriter::RepositoryWriter(Repository& repository, const WriterOptions& options)
    : impl_(std::make_unique<Impl>(repository, options)) {}
RepositoryWriter::~RepositoryWriter() = default;
const DigestKey& RepositoryWriter::digest_key() const {
  return impl_->key();
}
std::optional<StoredFile> RepositoryWriter::find_file(const FileId& id, uint64_t size,
                                                      FileKind kind) const {
  return impl_->find_file(id, size, kind);
}
StoredFile RepositoryWriter::put_file(ByteSource& source, const FileId& id, FileKind kind,
                                      const std::stop_token& stop) {
  return impl_->put_file(source, id, kind, stop);
}
TreeId RepositoryWriter::put_tree(ByteView encoded) {
  return impl_->put_tree(encoded);
}
Holding RepositoryWriter::holding_of(const FileId& id) const {
  return impl_->holding_of(id);
}
bool RepositoryWriter::holds_tree(const TreeId& id) const {
  return impl_->holds_tree(id);
}
void RepositoryWriter::flush() {
  impl_->flush();
}
WriterTotals RepositoryWriter::totals() const {
  return impl_->totals();
}

}  // namespace tsmfs::index
