// Changes of the lookup that become durable together: a pack that comes, a pack that goes.
#pragma once

#include <rocksdb/write_batch.h>

#include <vector>

#include "index/format/pack_format.h"
#include "index/lookup/lookup.h"
#include "index/lookup/lookup_database.h"

namespace tsmfs::index {

// Not thread safe. Requires: the database was opened as primary and outlives it.
class LookupBatch {
 public:
  explicit LookupBatch(const LookupDatabase& database) : database_(database) {}
  void put_pack(const PackContents& pack);
  void remove_pack(PackNumber number, const PackId& id, const std::vector<FrameEntry>& frames,
                   const std::vector<BlobEntry>& blobs);
  void put_file(const FileId& id, const FilePlace& place);
  void remove_file(const FileId& id) { remove(kFiles, slice(id)); }
  void remove_tree(const TreeId& id) { remove(kTrees, slice(id)); }
  // Durable on return; the batch is empty then. Throws: IoError.
  void write();

 private:
  void put_recipes(const PackContents& pack);
  bool has_whole_recipe(const rocksdb::Slice& key) const;
  void remove_found(Family family, const std::vector<const BlobEntry*>& blobs, ByteView beginning);
  void put(Family family, const rocksdb::Slice& key, const ByteBuffer& value);
  void remove(Family family, const rocksdb::Slice& key);

  const LookupDatabase& database_;
  rocksdb::WriteBatch batch_;
};

}  // namespace tsmfs::index
