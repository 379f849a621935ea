#include "index/lookup/lookup_database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <array>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "index/base/invariant.h"
#include "index/lookup/lookup_values.h"

namespace tsmfs::index {

namespace {

constexpr size_t kBlockCacheBytes = size_t{32} << 20;
constexpr size_t kWriteBufferBytes = size_t{16} << 20;
constexpr int kAttemptsMax = 3;
constexpr uint64_t kIdentityBytesMax = 4096;
constexpr uint32_t kIndexVersion = 1;
constexpr std::string_view kVersionKey = "version";
constexpr std::array<const char*, kFamilyCount> kFamilyNames = {"default", "chunks", "files",
                                                                "trees", "packs"};

// Keeps RocksDB's own log off the disk: what matters of it arrives as a Status.
class NullLogger : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

// A writer keeps the filters of all tables in memory (10 bits a hook: 80 MB for a TB), since nearly
// all that it asks is answered by them. A reader asks for files and trees, and keeps what it asked
// for, in the block cache.
rocksdb::Options database_options(bool secondary) {
  rocksdb::Options options;
  options.info_log = std::make_shared<NullLogger>();
  options.max_open_files = -1;  // a secondary instance needs it
  options.max_background_jobs = 2;
  options.write_buffer_size = kWriteBufferBytes;
  options.db_write_buffer_size = 2 * kWriteBufferBytes;
  options.keep_log_file_num = 1;
  // Without a log that was lost, all families are as they were at one time: packs that came later
  // are indexed again. Were one written out before the others, a pack could be known and what is in
  // it not.
  options.atomic_flush = true;
  options.track_and_verify_wals_in_manifest = !secondary;
  options.compression = rocksdb::kNoCompression;  // ids do not compress
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.block_cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  table.cache_index_and_filter_blocks = secondary;
  table.format_version = 5;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families(const rocksdb::Options& options) {
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  descriptors.reserve(std::size(kFamilyNames));
  for (const char* name : kFamilyNames) descriptors.emplace_back(name, options);
  return descriptors;
}

// A writer that switches to a new MANIFEST deletes the old one, which a reader may just have found
// the name of.
template <typename Try>
rocksdb::Status again_if_switched(const Try& attempt) {
  rocksdb::Status status = attempt();
  for (int i = 1; i < kAttemptsMax && status.IsTryAgain(); ++i) status = attempt();
  return status;
}

// The name that RocksDB gives to a database when it makes it: random, and so of no other one, where
// an inode number comes again. Empty when the file is lost, in which case the next writer makes a
// new one.
std::string identity_of(const std::filesystem::path& directory) {
  const auto path = directory / "IDENTITY";
  return open_if_exists(path, O_RDONLY) ? read_whole_file(path, kIdentityBytesMax) : std::string();
}

// RocksDB calls it corruption when it could not list its files or look at one ("Can't list files in
// ...: IO error: ..."), and an invalid argument when it could not open its first one ("Found
// options incompatible with filesystem: IO error: ...", or that direct I/O, which nobody asked for,
// is not supported). A lookup that is damaged is thrown away, so these must not count as damage.
bool is_failed_call(const rocksdb::Status& status) {
  if (!status.IsCorruption() && !status.IsInvalidArgument()) return false;
  const std::string text = status.ToString();
  const size_t call = text.find("IO error: ");
  if (call == std::string::npos) return text.find("Direct I/O is not") != std::string::npos;
  return text.compare(call, 22, "IO error: No such file") != 0;
}

}  // namespace

void check_status(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return;
  const std::string what = fmt::format("{}: {}", doing, status.ToString());
  if (is_failed_call(status)) throw IoError(what, EIO);
  // A file of the lookup that is lost (IsPathNotFound, IsTryAgain) is damage like any other.
  if (status.IsCorruption() || status.IsInvalidArgument() || status.IsNotFound() ||
      status.IsPathNotFound() || status.IsTryAgain())
    throw CorruptError(what, std::string(kRebuildAdvice));
  if (status.IsNoSpace()) throw IoError(what, ENOSPC);
  throw IoError(what, EIO, std::string(kRebuildAdvice));
}

LookupDatabase::LookupDatabase(std::filesystem::path directory, bool secondary)
    : directory_(std::move(directory)), secondary_(secondary) {}

LookupDatabase::~LookupDatabase() {
  // A reader replays the write-ahead log when it opens the lookup, which takes a second for what a
  // large backup leaves in it. Should this fail, the log is still there.
  if (db_ && !secondary_) db_->Flush(rocksdb::FlushOptions(), handles_).PermitUncheckedError();
  for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
  if (db_) db_->Close().PermitUncheckedError();
}

std::shared_ptr<LookupDatabase> LookupDatabase::open_primary(const std::filesystem::path& directory,
                                                             bool create) {
  rocksdb::Options options = database_options(/*secondary=*/false);
  options.create_if_missing = create;
  options.create_missing_column_families = create;
  if (create) make_directory(directory);  // owner-only, which RocksDB would not make it
  std::shared_ptr<LookupDatabase> opened(new LookupDatabase(directory, /*secondary=*/false));
  rocksdb::DB* db = nullptr;
  check_status(
      rocksdb::DB::Open(options, directory.string(), families(options), &opened->handles_, &db),
      "cannot open the index in " + directory.string());
  opened->db_.reset(db);
  const rocksdb::Slice key(kVersionKey.data(), kVersionKey.size());
  if (create && !opened->get(kDefault, key))
    check_status(db->Put(rocksdb::WriteOptions(), key, std::to_string(kIndexVersion)),
                 "cannot write the index");
  opened->check_version();
  return opened;
}

std::shared_ptr<LookupDatabase> LookupDatabase::open_secondary(
    const std::filesystem::path& directory) {
  const rocksdb::Options options = database_options(/*secondary=*/true);
  std::shared_ptr<LookupDatabase> opened(new LookupDatabase(directory, /*secondary=*/true));
  opened->identity_ = identity_of(directory);
  rocksdb::DB* db = nullptr;
  // With a logger of our own the secondary keeps no files, so its path is a name only.
  const std::string no_path = (temporary_directory() / "tsmfs-index-secondary").string();
  check_status(again_if_switched([&] {
                 return rocksdb::DB::OpenAsSecondary(options, directory.string(), no_path,
                                                     families(options), &opened->handles_, &db);
               }),
               "cannot open the index in " + directory.string());
  opened->db_.reset(db);
  opened->check_version();
  return opened;
}

bool LookupDatabase::is_replaced() const {
  return identity_of(directory_) != identity_;
}

// The place may be taken while RocksDB reads from it: what it makes of the files of two databases
// counts for nothing.
bool LookupDatabase::catch_up() {
  require_invariant(secondary_, "only a reader catches up with a writer");
  if (is_replaced()) return false;
  const rocksdb::Status status = again_if_switched([&] { return db_->TryCatchUpWithPrimary(); });
  if (is_replaced()) return false;
  check_status(status, "cannot catch up with the index");
  return true;
}

std::optional<std::string> LookupDatabase::get(Family family, const rocksdb::Slice& key) const {
  std::string value;
  const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), handles_[family], key, &value);
  if (status.IsNotFound()) return std::nullopt;
  check_status(status, "cannot read the index");
  return value;
}

void LookupDatabase::check_version() const {
  const auto value = get(kDefault, {kVersionKey.data(), kVersionKey.size()});
  if (!value || *value != std::to_string(kIndexVersion))
    throw CorruptError("the index is of another version", std::string(kRebuildAdvice));
}

}  // namespace tsmfs::index
