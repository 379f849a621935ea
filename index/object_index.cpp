#include "index/object_index.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "index/base/error.h"
#include "index/index_values.h"

namespace tsmfs::index {

namespace {

constexpr size_t kBlockCacheBytes = size_t{32} << 20;
constexpr size_t kWriteBufferBytes = size_t{16} << 20;
constexpr size_t kLookUpsAtOnce = 1024;
constexpr uint32_t kIndexVersion = 1;
constexpr std::string_view kVersionKey = "version";

// Column families, in the order of their handles.
enum Family : size_t { kDefault, kChunks, kFiles, kTrees, kPacks, kFamilyCount };
constexpr std::array<const char*, kFamilyCount> kFamilyNames = {"default", "chunks", "files",
                                                                "trees", "packs"};

// The one place where RocksDB's errors become ours.
void check(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return;
  const std::string what = fmt::format("{}: {}", doing, status.ToString());
  if (status.IsCorruption() || status.IsInvalidArgument() || status.IsNotFound())
    throw CorruptError(what, std::string(kRebuildAdvice));
  if (status.IsNoSpace()) throw IoError(what, ENOSPC);
  throw IoError(what, EIO, std::string(kRebuildAdvice));
}

// Keeps RocksDB's own log off the disk: what matters of it arrives as a Status.
class NullLogger : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::Options database_options() {
  rocksdb::Options options;
  options.info_log = std::make_shared<NullLogger>();
  options.max_open_files = -1;  // a secondary instance needs it
  options.max_background_jobs = 2;
  options.write_buffer_size = kWriteBufferBytes;
  options.db_write_buffer_size = 2 * kWriteBufferBytes;
  options.keep_log_file_num = 1;
  options.compression = rocksdb::kNoCompression;  // ids do not compress
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.block_cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  table.format_version = 5;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families(const rocksdb::Options& options) {
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const char* name : kFamilyNames) descriptors.emplace_back(name, options);
  return descriptors;
}

template <typename IdType>
rocksdb::Slice slice(const IdType& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), kIdBytes};
}
rocksdb::Slice slice(const ByteBuffer& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
ByteView view(const rocksdb::Slice& slice) {
  return as_bytes({slice.data(), slice.size()});
}

PackNumber number_of(const PackHeader& header) {
  if (header.sequence > UINT32_MAX)
    throw CorruptError(fmt::format("pack {} has an impossible sequence", header.id.hex()));
  return static_cast<PackNumber>(header.sequence);
}

uint64_t inode_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw_errno("cannot stat " + path.string());
  return status.st_ino;
}

// Changes of an index that become durable together.
class IndexBatch {
 public:
  IndexBatch(rocksdb::DB& db, const std::vector<rocksdb::ColumnFamilyHandle*>& handles)
      : db_(db), handles_(handles) {}
  void put_pack(const PackContents& pack);
  void remove_pack(PackNumber number, const PackId& id, const std::vector<FrameEntry>& frames,
                   const std::vector<BlobEntry>& blobs);
  void write();

 private:
  void put_recipes(const PackContents& pack);
  bool has_whole_recipe(const rocksdb::Slice& key) const;
  void remove_found(Family family, const std::vector<const BlobEntry*>& blobs, ByteView beginning);
  void put(Family family, const rocksdb::Slice& key, const ByteBuffer& value) {
    check(batch_.Put(handles_[family], key, slice(value)), "cannot fill an index batch");
  }

  rocksdb::DB& db_;
  const std::vector<rocksdb::ColumnFamilyHandle*>& handles_;
  rocksdb::WriteBatch batch_;
};

// A pack's blobs of one kind, sorted by id, which is the order that RocksDB takes them in best.
std::vector<const BlobEntry*> blobs_of(BlobKind kind, const std::vector<FrameEntry>& frames,
                                       const std::vector<BlobEntry>& blobs) {
  std::vector<const BlobEntry*> found;
  for (const FrameEntry& frame : frames) {
    if (frame.kind != kind) continue;
    for (uint32_t i = 0; i < frame.blob_count; ++i) found.push_back(&blobs[frame.first_blob + i]);
  }
  std::sort(found.begin(), found.end(),
            [](const BlobEntry* a, const BlobEntry* b) { return a->id < b->id; });
  return found;
}

BlobPlace place_in(const PackContents& pack, const BlobEntry& blob) {
  return {pack.header.id, static_cast<uint32_t>(blob.logical_start), blob.length};
}

void IndexBatch::put_pack(const PackContents& pack) {
  PackRecord record{pack.header.id, pack.file_bytes, 0, 0};
  const ByteBuffer number = encode_chunk_value(number_of(pack.header));
  for (const BlobEntry* chunk : blobs_of(BlobKind::kChunk, pack.frames, pack.blobs)) {
    put(kChunks, slice(chunk->id), number);
    ++record.chunk_count;
    record.chunk_bytes += chunk->length;
  }
  put_recipes(pack);
  for (const BlobEntry* tree : blobs_of(BlobKind::kTree, pack.frames, pack.blobs))
    put(kTrees, slice(tree->id), encode_tree_place(place_in(pack, *tree)));
  put(kPacks, slice(encode_pack_key(number_of(pack.header))), encode_pack_record(record));
}

void IndexBatch::put_recipes(const PackContents& pack) {
  using Files = std::unordered_set<FileId, IdHash>;
  const Files defective(pack.lists.defective.begin(), pack.lists.defective.end());
  const Files lossy(pack.lists.lossy.begin(), pack.lists.lossy.end());
  for (const BlobEntry* recipe : blobs_of(BlobKind::kRecipe, pack.frames, pack.blobs)) {
    const FileId file = FileId::from(recipe->id.view());
    const FilePlace place{place_in(pack, *recipe), defective.contains(file), lossy.contains(file)};
    if (place.lossy && has_whole_recipe(slice(recipe->id))) continue;
    put(kFiles, slice(recipe->id), encode_file_place(place));
  }
}

bool IndexBatch::has_whole_recipe(const rocksdb::Slice& key) const {
  std::string value;
  const rocksdb::Status status = db_.Get(rocksdb::ReadOptions(), handles_[kFiles], key, &value);
  if (status.IsNotFound()) return false;
  check(status, "cannot read the index");
  return !decode_file_place(as_bytes(value)).lossy;
}

void IndexBatch::remove_pack(PackNumber number, const PackId& id,
                             const std::vector<FrameEntry>& frames,
                             const std::vector<BlobEntry>& blobs) {
  remove_found(kChunks, blobs_of(BlobKind::kChunk, frames, blobs), encode_chunk_value(number));
  remove_found(kFiles, blobs_of(BlobKind::kRecipe, frames, blobs), id.view());
  remove_found(kTrees, blobs_of(BlobKind::kTree, frames, blobs), id.view());
  check(batch_.Delete(handles_[kPacks], slice(encode_pack_key(number))),
        "cannot fill an index batch");
}

// Of these blobs those whose value begins as given: the others are found in another pack.
void IndexBatch::remove_found(Family family, const std::vector<const BlobEntry*>& blobs,
                              ByteView beginning) {
  for (size_t begin = 0; begin < blobs.size(); begin += kLookUpsAtOnce) {
    const size_t count = std::min(kLookUpsAtOnce, blobs.size() - begin);
    std::vector<rocksdb::Slice> keys;
    for (size_t i = 0; i < count; ++i) keys.push_back(slice(blobs[begin + i]->id));
    std::vector<rocksdb::PinnableSlice> values(count);
    std::vector<rocksdb::Status> statuses(count);
    db_.MultiGet(rocksdb::ReadOptions(), handles_[family], count, keys.data(), values.data(),
                 statuses.data(), /*sorted_input=*/true);
    for (size_t i = 0; i < count; ++i) {
      if (statuses[i].IsNotFound()) continue;
      check(statuses[i], "cannot read the index");
      if (!as_text(view(values[i])).starts_with(as_text(beginning))) continue;
      check(batch_.Delete(handles_[family], keys[i]), "cannot fill an index batch");
    }
  }
}

void IndexBatch::write() {
  rocksdb::WriteOptions synced;
  synced.sync = true;
  check(db_.Write(synced, &batch_), "cannot write the index");
}

}  // namespace

struct ObjectIndex::Impl {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  std::filesystem::path directory;
  uint64_t inode = 0;  // of the directory; for a secondary
  bool secondary = false;

  static std::unique_ptr<Impl> open_secondary(const std::filesystem::path& directory);
  static std::unique_ptr<Impl> open_primary(const std::filesystem::path& directory, bool create);
  ~Impl() {
    for (auto* handle : handles) db->DestroyColumnFamilyHandle(handle);
    if (db) db->Close().PermitUncheckedError();
  }

  std::optional<std::string> get(Family family, const rocksdb::Slice& key) const {
    std::string value;
    const rocksdb::Status status = db->Get(rocksdb::ReadOptions(), handles[family], key, &value);
    if (status.IsNotFound()) return std::nullopt;
    check(status, "cannot read the index");
    return value;
  }

  template <typename Visit>
  void for_each(Family family, const Visit& visit) const {
    const std::unique_ptr<rocksdb::Iterator> it(
        db->NewIterator(rocksdb::ReadOptions(), handles[family]));
    for (it->SeekToFirst(); it->Valid(); it->Next()) visit(view(it->key()), view(it->value()));
    check(it->status(), "cannot read the index");
  }

  void check_version() const {
    const auto value = get(kDefault, {kVersionKey.data(), kVersionKey.size()});
    if (!value || *value != std::to_string(kIndexVersion))
      throw CorruptError("the index is of another version", std::string(kRebuildAdvice));
  }
};

ObjectIndex::ObjectIndex(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
ObjectIndex::~ObjectIndex() = default;

std::unique_ptr<ObjectIndex::Impl> ObjectIndex::Impl::open_primary(
    const std::filesystem::path& directory, bool create) {
  rocksdb::Options options = database_options();
  options.create_if_missing = create;
  options.create_missing_column_families = create;
  auto impl = std::make_unique<Impl>();
  impl->directory = directory;
  rocksdb::DB* db = nullptr;
  check(rocksdb::DB::Open(options, directory.string(), families(options), &impl->handles, &db),
        "cannot open the index in " + directory.string());
  impl->db.reset(db);
  const rocksdb::Slice key(kVersionKey.data(), kVersionKey.size());
  if (create && !impl->get(kDefault, key))
    check(impl->db->Put(rocksdb::WriteOptions(), key, std::to_string(kIndexVersion)),
          "cannot write the index");
  impl->check_version();
  return impl;
}

std::unique_ptr<ObjectIndex> ObjectIndex::open_primary(const std::filesystem::path& directory,
                                                       bool create) {
  return std::unique_ptr<ObjectIndex>(new ObjectIndex(Impl::open_primary(directory, create)));
}

void ObjectIndex::reopen_after(const std::function<void()>& work) {
  const std::filesystem::path directory = impl()->directory;
  impl_.store(nullptr);
  work();
  impl_.store(Impl::open_primary(directory, /*create=*/false));
}

std::unique_ptr<ObjectIndex::Impl> ObjectIndex::Impl::open_secondary(
    const std::filesystem::path& directory) {
  const rocksdb::Options options = database_options();
  auto impl = std::make_unique<Impl>();
  impl->secondary = true;
  impl->directory = directory;
  impl->inode = inode_of(directory);
  rocksdb::DB* db = nullptr;
  // With a logger of our own the secondary keeps no files, so its path is a name only.
  const std::string no_path =
      (std::filesystem::temp_directory_path() / "tsmfs-index-secondary").string();
  check(rocksdb::DB::OpenAsSecondary(options, directory.string(), no_path, families(options),
                                     &impl->handles, &db),
        "cannot open the index in " + directory.string());
  impl->db.reset(db);
  impl->check_version();
  return impl;
}

std::unique_ptr<ObjectIndex> ObjectIndex::open_secondary(const std::filesystem::path& directory) {
  return std::unique_ptr<ObjectIndex>(new ObjectIndex(Impl::open_secondary(directory)));
}

std::vector<std::optional<PackNumber>> ObjectIndex::find_chunks(
    std::span<const ChunkId> ids) const {
  std::vector<rocksdb::Slice> keys;
  keys.reserve(ids.size());
  for (const ChunkId& id : ids) keys.push_back(slice(id));
  std::vector<rocksdb::PinnableSlice> values(ids.size());
  std::vector<rocksdb::Status> statuses(ids.size());
  impl()->db->MultiGet(rocksdb::ReadOptions(), impl()->handles[kChunks], keys.size(), keys.data(),
                       values.data(), statuses.data());
  std::vector<std::optional<PackNumber>> found(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    check(statuses[i], "cannot read the index");
    found[i] = decode_chunk_value(view(values[i]));
  }
  return found;
}

std::optional<FilePlace> ObjectIndex::find_file(const FileId& id) const {
  const auto value = impl()->get(kFiles, slice(id));
  if (!value) return std::nullopt;
  return decode_file_place(as_bytes(*value));
}

std::optional<BlobPlace> ObjectIndex::find_tree(const TreeId& id) const {
  const auto value = impl()->get(kTrees, slice(id));
  if (!value) return std::nullopt;
  return decode_tree_place(as_bytes(*value));
}

std::optional<PackRecord> ObjectIndex::find_pack(PackNumber number) const {
  const auto value = impl()->get(kPacks, slice(encode_pack_key(number)));
  if (!value) return std::nullopt;
  return decode_pack_record(as_bytes(*value));
}

std::optional<PackNumber> ObjectIndex::last_pack_number() const {
  const auto held = impl();
  const std::unique_ptr<rocksdb::Iterator> it(
      held->db->NewIterator(rocksdb::ReadOptions(), held->handles[kPacks]));
  it->SeekToLast();
  check(it->status(), "cannot read the index");
  if (!it->Valid()) return std::nullopt;
  return decode_pack_key(view(it->key()));
}

void ObjectIndex::for_each_pack(
    const std::function<void(PackNumber, const PackRecord&)>& visit) const {
  impl()->for_each(kPacks, [&](ByteView key, ByteView value) {
    visit(decode_pack_key(key), decode_pack_record(value));
  });
}

void ObjectIndex::for_each_file(
    const std::function<void(const FileId&, const FilePlace&)>& visit) const {
  impl()->for_each(kFiles, [&](ByteView key, ByteView value) {
    check_id_key(key);
    visit(FileId::from(key), decode_file_place(value));
  });
}

void ObjectIndex::for_each_tree(
    const std::function<void(const TreeId&, const BlobPlace&)>& visit) const {
  impl()->for_each(kTrees, [&](ByteView key, ByteView value) {
    check_id_key(key);
    visit(TreeId::from(key), decode_tree_place(value));
  });
}

void ObjectIndex::add_pack(const PackContents& pack) {
  const auto held = impl();
  IndexBatch batch(*held->db, held->handles);
  batch.put_pack(pack);
  batch.write();
}

void ObjectIndex::remove_pack(PackNumber number, const std::vector<FrameEntry>& frames,
                              const std::vector<BlobEntry>& blobs) {
  const auto record = find_pack(number);
  if (!record) return;
  const auto held = impl();
  IndexBatch batch(*held->db, held->handles);
  batch.remove_pack(number, record->id, frames, blobs);
  batch.write();
}

// An index that was made again has taken the directory's name.
void ObjectIndex::catch_up() {
  const auto held = impl();
  if (!held->secondary) return;
  if (inode_of(held->directory) != held->inode)
    impl_.store(Impl::open_secondary(held->directory));
  else
    check(held->db->TryCatchUpWithPrimary(), "cannot catch up with the index");
}

}  // namespace tsmfs::index
