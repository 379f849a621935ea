// The RocksDB database behind the lookup: how it is opened, and its errors as ours. Private to
// lookup and lookup_batch.
#pragma once

#include <rocksdb/db.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/bytes.h"
#include "index/format/digest.h"

namespace tsmfs::index {

// Column families, in the order of their handles.
enum Family : size_t { kDefault, kChunks, kFiles, kTrees, kPacks, kFamilyCount };

// The one place where RocksDB's errors become ours. Throws: CorruptError, IoError.
void check_status(const rocksdb::Status& status, std::string_view doing);

template <typename IdType>
rocksdb::Slice slice(const IdType& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), kIdBytes};
}
inline rocksdb::Slice slice(const ByteBuffer& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline ByteView view(const rocksdb::Slice& slice) {
  return as_bytes({slice.data(), slice.size()});
}

// Thread safe, as RocksDB is.
class LookupDatabase {
 public:
  // Throw: CorruptError, also for a lookup of another version; IoError.
  static std::shared_ptr<LookupDatabase> open_primary(const std::filesystem::path& directory,
                                                      bool create);
  static std::shared_ptr<LookupDatabase> open_secondary(const std::filesystem::path& directory);
  ~LookupDatabase();

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* handle(Family family) const { return handles_[family]; }
  const std::filesystem::path& directory() const { return directory_; }
  bool is_secondary() const { return secondary_; }
  // Sees what the writer has changed since. False when another lookup has taken the place of the
  // one that was opened, which is of no use then. Requires: is_secondary(). Throws: as
  // open_secondary().
  bool catch_up();

  std::optional<std::string> get(Family family, const rocksdb::Slice& key) const;
  // Visits key and value of each entry, in the order of the keys.
  template <typename Visit>
  void for_each(Family family, const Visit& visit) const {
    const std::unique_ptr<rocksdb::Iterator> it(
        db_->NewIterator(rocksdb::ReadOptions(), handles_[family]));
    for (it->SeekToFirst(); it->Valid(); it->Next()) visit(view(it->key()), view(it->value()));
    check_status(it->status(), "cannot read the index");
  }

 private:
  LookupDatabase(std::filesystem::path directory, bool secondary);
  void check_version() const;
  bool is_replaced() const;

  std::filesystem::path directory_;
  std::string identity_;  // as RocksDB gave it to the database; for a secondary
  bool secondary_ = false;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

}  // namespace tsmfs::index
