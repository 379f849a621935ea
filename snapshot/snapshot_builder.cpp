#include "snapshot/snapshot_builder.h"

#include "index/base/error.h"
#include "snapshot/past_snapshot.h"
#include "snapshot/tree_store.h"

namespace tsmfs::snapshot {

namespace {

constexpr uint32_t kMetaFileMode = 0600;

}  // namespace

SnapshotBuilder::SnapshotBuilder(index::Repository& repository, index::RepositoryWriter& writer,
                                 Catalog& catalog, Manifest manifest)
    : repository_(repository),
      writer_(writer),
      catalog_(catalog),
      manifest_(std::move(manifest)),
      stored_before_(writer.totals().stored_bytes) {
  manifest_.id = index::random_id<index::SnapshotId>();
  manifest_.program = std::string("tsmfs ") + TSMFS_VERSION;
  if (!manifest_.parent) return;
  try {
    for (const SnapshotPtr& snapshot : catalog_.state()->snapshots)
      if (snapshot->id == manifest_.parent)
        parent_meta_ = read_tree(repository_.objects(), snapshot->meta);
  } catch (const Error&) {
    // A parent that cannot be read is no loss here: the files of /meta get new times.
  }
}

void SnapshotBuilder::problem(Problem::Severity severity, std::string path, std::string what) {
  manifest_.problems.push_back({severity, std::move(path), std::move(what)});
}

void SnapshotBuilder::add_shard(const ShardPath& path, std::vector<TreeEntry> files,
                                uint64_t new_bytes) {
  manifest_.files += files.size();
  manifest_.new_bytes += new_bytes;
  ++manifest_.shards;
  shards_.emplace(path, std::move(files));
}

void SnapshotBuilder::add_wal_shard(const ShardPath& path, std::vector<TreeEntry> files) {
  wal_shards_.emplace(path, std::move(files));
}

// An unchanged file keeps the time that it had, so that an unchanged directory stays one node.
void SnapshotBuilder::add_meta_file(const std::string& name, ByteView content) {
  index::MemorySource source(content);
  const auto id = writer_.digest_key().digest<index::FileId>(content);
  const auto stored = writer_.put_file(source, id, index::FileKind::kOther, {});
  const TreeEntry* old = parent_meta_ ? parent_meta_->find(name) : nullptr;
  const bool unchanged = old && old->kind == EntryKind::kFile && old->file() == id;
  meta_.push_back({name, EntryKind::kFile, kMetaFileMode, unchanged ? old->mtime : manifest_.time,
                   stored.size, 0, id});
}

SnapshotPtr SnapshotBuilder::publish() {
  store();
  return catalog_.publish(std::move(manifest_));
}

SnapshotPtr SnapshotBuilder::publish_unless_as(const SnapshotPtr& earlier) {
  store();
  if (earlier && earlier->data == manifest_.data && earlier->meta == manifest_.meta &&
      earlier->wal == manifest_.wal && earlier->incomplete() == manifest_.incomplete())
    return earlier;
  return catalog_.publish(std::move(manifest_));
}

void SnapshotBuilder::store() {
  const StoredTree data = store_data_tree(writer_, shards_);
  const StoredTree meta = store_tree(writer_, std::move(meta_));
  if (!wal_shards_.empty()) {
    const StoredTree wal = store_data_tree(writer_, wal_shards_);
    manifest_.wal = wal.id;
    manifest_.wal_below = wal.totals.below;
  }
  writer_.flush();
  manifest_.data = data.id;
  manifest_.data_below = data.totals.below;
  manifest_.bytes = data.totals.size;
  manifest_.meta = meta.id;
  manifest_.meta_below = meta.totals.below;
  manifest_.stored_bytes = writer_.totals().stored_bytes - stored_before_;
  manifest_.finished = now();
}

}  // namespace tsmfs::snapshot
