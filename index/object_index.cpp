#include "index/object_index.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "index/base/error.h"

namespace tsmfs::index {

namespace {

constexpr size_t kBlockCacheBytes = size_t{32} << 20;
constexpr size_t kWriteBufferBytes = size_t{16} << 20;
constexpr uint32_t kIndexVersion = 1;
constexpr std::string_view kVersionKey = "version";

// Column families, in the order of their handles.
enum Family : size_t { kDefault, kChunks, kFiles, kTrees, kPacks, kFamilyCount };
constexpr std::array<const char*, kFamilyCount> kFamilyNames = {"default", "chunks", "files",
                                                                "trees", "packs"};

constexpr std::string_view kRebuildAdvice = "the packs hold everything: run tsmfs rebuild-index";

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

ByteBuffer pack_key(PackNumber number) {
  ByteBuffer key(sizeof number);
  store_be(key.data(), number);
  return key;
}

PackNumber decode_pack_key(const rocksdb::Slice& key) {
  if (key.size() != sizeof(PackNumber))
    throw CorruptError("the index holds a pack without a number", std::string(kRebuildAdvice));
  return load_be<PackNumber>(view(key).data());
}

BlobPlace read_place(ByteReader& reader) {
  BlobPlace place;
  place.pack = PackId::from(reader.raw(kIdBytes));
  place.logical_start = reader.le<uint32_t>();
  place.length = reader.le<uint32_t>();
  return place;
}

PackRecord decode_record(ByteView bytes) {
  ByteReader reader(bytes, "a pack's record in the index");
  PackRecord record;
  record.id = PackId::from(reader.raw(kIdBytes));
  record.file_bytes = reader.varint();
  record.chunk_count = reader.varint();
  record.chunk_bytes = reader.varint();
  return record;
}

PackNumber number_of(const PackHeader& header) {
  if (header.sequence > UINT32_MAX)
    throw CorruptError(fmt::format("pack {} has an impossible sequence", header.id.hex()));
  return static_cast<PackNumber>(header.sequence);
}

}  // namespace

struct ObjectIndex::Impl {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  bool secondary = false;

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

  void check_version() const {
    const auto value = get(kDefault, {kVersionKey.data(), kVersionKey.size()});
    if (!value || *value != std::to_string(kIndexVersion))
      throw CorruptError("the index is of another version", std::string(kRebuildAdvice));
  }
};

ObjectIndex::ObjectIndex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ObjectIndex::~ObjectIndex() = default;

std::unique_ptr<ObjectIndex> ObjectIndex::open_primary(const std::filesystem::path& directory,
                                                       bool create) {
  rocksdb::Options options = database_options();
  options.create_if_missing = create;
  options.create_missing_column_families = create;
  auto impl = std::make_unique<Impl>();
  rocksdb::DB* db = nullptr;
  check(rocksdb::DB::Open(options, directory.string(), families(options), &impl->handles, &db),
        "cannot open the index in " + directory.string());
  impl->db.reset(db);
  const rocksdb::Slice key(kVersionKey.data(), kVersionKey.size());
  if (create && !impl->get(kDefault, key))
    check(impl->db->Put(rocksdb::WriteOptions(), key, std::to_string(kIndexVersion)),
          "cannot write the index");
  impl->check_version();
  return std::unique_ptr<ObjectIndex>(new ObjectIndex(std::move(impl)));
}

std::unique_ptr<ObjectIndex> ObjectIndex::open_secondary(const std::filesystem::path& directory) {
  const rocksdb::Options options = database_options();
  auto impl = std::make_unique<Impl>();
  impl->secondary = true;
  rocksdb::DB* db = nullptr;
  // With a logger of our own the secondary keeps no files, so its path is a name only.
  const std::string no_path =
      (std::filesystem::temp_directory_path() / "tsmfs-index-secondary").string();
  check(rocksdb::DB::OpenAsSecondary(options, directory.string(), no_path, families(options),
                                     &impl->handles, &db),
        "cannot open the index in " + directory.string());
  impl->db.reset(db);
  impl->check_version();
  return std::unique_ptr<ObjectIndex>(new ObjectIndex(std::move(impl)));
}

std::vector<std::optional<PackNumber>> ObjectIndex::find_chunks(
    std::span<const ChunkId> ids) const {
  std::vector<rocksdb::Slice> keys;
  keys.reserve(ids.size());
  for (const ChunkId& id : ids) keys.push_back(slice(id));
  std::vector<rocksdb::PinnableSlice> values(ids.size());
  std::vector<rocksdb::Status> statuses(ids.size());
  impl_->db->MultiGet(rocksdb::ReadOptions(), impl_->handles[kChunks], keys.size(), keys.data(),
                      values.data(), statuses.data());
  std::vector<std::optional<PackNumber>> found(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    check(statuses[i], "cannot read the index");
    found[i] = ByteReader(view(values[i]), "a chunk's place in the index").le<uint32_t>();
  }
  return found;
}

std::optional<FilePlace> ObjectIndex::find_file(const FileId& id) const {
  const auto value = impl_->get(kFiles, slice(id));
  if (!value) return std::nullopt;
  ByteReader reader(as_bytes(*value), "a file's place in the index");
  const BlobPlace place = read_place(reader);
  return FilePlace{place, reader.u8() != 0};
}

std::optional<BlobPlace> ObjectIndex::find_tree(const TreeId& id) const {
  const auto value = impl_->get(kTrees, slice(id));
  if (!value) return std::nullopt;
  ByteReader reader(as_bytes(*value), "a tree node's place in the index");
  return read_place(reader);
}

std::optional<PackRecord> ObjectIndex::find_pack(PackNumber number) const {
  const auto value = impl_->get(kPacks, slice(pack_key(number)));
  if (!value) return std::nullopt;
  return decode_record(as_bytes(*value));
}

std::optional<PackNumber> ObjectIndex::last_pack_number() const {
  const std::unique_ptr<rocksdb::Iterator> it(
      impl_->db->NewIterator(rocksdb::ReadOptions(), impl_->handles[kPacks]));
  it->SeekToLast();
  check(it->status(), "cannot read the index");
  if (!it->Valid()) return std::nullopt;
  return decode_pack_key(it->key());
}

void ObjectIndex::for_each_pack(
    const std::function<void(PackNumber, const PackRecord&)>& visit) const {
  const std::unique_ptr<rocksdb::Iterator> it(
      impl_->db->NewIterator(rocksdb::ReadOptions(), impl_->handles[kPacks]));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    visit(decode_pack_key(it->key()), decode_record(view(it->value())));
  }
  check(it->status(), "cannot read the index");
}

void ObjectIndex::add_pack(const PackContents& pack) {
  const PackNumber number = number_of(pack.header);
  const std::unordered_set<FileId, IdHash> defective(pack.defective_files.begin(),
                                                     pack.defective_files.end());
  const std::unordered_set<FileId, IdHash> unusable(pack.unusable_files.begin(),
                                                    pack.unusable_files.end());
  PackRecord record{pack.header.id, pack.file_bytes, 0, 0};
  std::vector<const BlobEntry*> chunks;
  rocksdb::WriteBatch batch;
  ByteBuffer value;
  for (const FrameEntry& frame : pack.frames) {
    for (uint32_t i = 0; i < frame.blob_count; ++i) {
      const BlobEntry& blob = pack.blobs[frame.first_blob + i];
      if (frame.kind == BlobKind::kChunk) {
        chunks.push_back(&blob);
        record.chunk_bytes += blob.length;
        continue;
      }
      if (frame.kind == BlobKind::kRecipe && unusable.contains(FileId::from(blob.id.view())))
        continue;
      value.clear();
      ByteWriter writer(value);
      writer.raw(pack.header.id.view());
      writer.le(static_cast<uint32_t>(blob.logical_start));
      writer.le(blob.length);
      if (frame.kind == BlobKind::kRecipe)
        writer.u8(defective.contains(FileId::from(blob.id.view())) ? 1 : 0);
      const Family family = frame.kind == BlobKind::kRecipe ? kFiles : kTrees;
      check(batch.Put(impl_->handles[family], slice(blob.id), slice(value)),
            "cannot fill an index batch");
    }
  }
  std::sort(chunks.begin(), chunks.end(),
            [](const BlobEntry* a, const BlobEntry* b) { return a->id < b->id; });
  value.clear();
  ByteWriter(value).le(number);
  for (const BlobEntry* chunk : chunks)
    check(batch.Put(impl_->handles[kChunks], slice(chunk->id), slice(value)),
          "cannot fill an index batch");
  record.chunk_count = chunks.size();
  value.clear();
  ByteWriter writer(value);
  writer.raw(record.id.view());
  writer.varint(record.file_bytes);
  writer.varint(record.chunk_count);
  writer.varint(record.chunk_bytes);
  check(batch.Put(impl_->handles[kPacks], slice(pack_key(number)), slice(value)),
        "cannot fill an index batch");
  rocksdb::WriteOptions synced;
  synced.sync = true;
  check(impl_->db->Write(synced, &batch), "cannot write the index");
}

void ObjectIndex::catch_up() {
  if (impl_->secondary) check(impl_->db->TryCatchUpWithPrimary(), "cannot catch up with the index");
}

}  // namespace tsmfs::index
