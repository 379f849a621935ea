#include "snapshot/intake/snapshot_builder.h"

#include <utility>

#include "index/base/error.h"
#include "index/base/invariant.h"
#include "index/base/some_of.h"
#include "snapshot/influxdb/unopenable.h"
#include "snapshot/model/tree_store.h"
#include "snapshot/model/tree_walk.h"

namespace tsmfs::snapshot {

namespace {

constexpr uint32_t kMetaFileMode = 0600;

// So that a manifest stays one that readers take, whatever befell a server of a million files.
constexpr size_t kProblemsMax = 10'000;
constexpr size_t kProblemBytesMax = size_t{4} << 20;

void bound_problems(std::vector<Problem>& problems) {
  size_t kept = 0, bytes = 0;
  for (; kept < problems.size() && kept < kProblemsMax && bytes < kProblemBytesMax; ++kept)
    bytes += problems[kept].path.size() + problems[kept].what.size();
  if (kept == problems.size()) return;
  Problem rest{Problem::Severity::kWarning, "", and_more(problems.size() - kept, "problems")};
  for (size_t i = kept; i < problems.size(); ++i)
    if (problems[i].severity == Problem::Severity::kIncomplete)
      rest.severity = problems[i].severity;
  problems.resize(kept);
  problems.push_back(std::move(rest));
}

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
  files = without_losses(path, std::move(files));
  for (const TreeEntry& file : files)
    if (auto why = why_name_refused(file.name, file.size))
      problem(Problem::Severity::kWarning, path.text() + "/" + file.name.text(), std::move(*why));
  manifest_.files += files.size();
  manifest_.new_bytes += new_bytes;
  ++manifest_.shards;
  shards_.emplace(path, std::move(files));
}

// Files that an earlier snapshot had, and that were not read again, may have been lost since.
std::vector<TreeEntry> SnapshotBuilder::without_losses(const ShardPath& path,
                                                       std::vector<TreeEntry> files) {
  std::erase_if(files, [&](const TreeEntry& file) {
    const index::Holding holding = writer_.holding_of(file.file());
    if (holding == index::Holding::kAll) return false;
    problem(Problem::Severity::kIncomplete, path.text() + "/" + file.name.text(),
            holding == index::Holding::kPart ? "bytes of it are lost in the repository"
                                             : "is lost in the repository, and left out");
    return holding == index::Holding::kNothing;
  });
  return files;
}

void SnapshotBuilder::add_wal_shard(const ShardPath& path, std::vector<TreeEntry> files) {
  wal_shards_.emplace(path, std::move(files));
}

// An unchanged file keeps the time that it had, so that an unchanged directory stays one node.
void SnapshotBuilder::add_meta_file(const Name& name, ByteView content) {
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
  return publish_durably(writer_, catalog_, std::move(manifest_));
}

SnapshotPtr SnapshotBuilder::publish_unless_as(const SnapshotPtr& earlier) {
  store();
  if (earlier && earlier->data == manifest_.data && earlier->meta == manifest_.meta &&
      earlier->wal == manifest_.wal && earlier->incomplete() == manifest_.incomplete())
    return earlier;
  return publish_durably(writer_, catalog_, std::move(manifest_));
}

void SnapshotBuilder::store() {
  const StoredTree data = store_data_tree(writer_, shards_);
  const StoredTree meta = store_tree(writer_, std::move(meta_));
  if (!wal_shards_.empty()) {
    const StoredTree wal = store_data_tree(writer_, wal_shards_);
    manifest_.wal = wal.id;
    manifest_.wal_below = wal.totals.below;
  }
  manifest_.data = data.id;
  manifest_.data_below = data.totals.below;
  manifest_.bytes = data.totals.size;
  manifest_.meta = meta.id;
  manifest_.meta_below = meta.totals.below;
  bound_problems(manifest_.problems);
  writer_.flush();
  manifest_.stored_bytes = writer_.totals().stored_bytes - stored_before_;
  manifest_.finished = now();
}

SnapshotPtr publish_durably(index::RepositoryWriter& writer, Catalog& catalog, Manifest manifest) {
  writer.flush();
  for (const index::TreeId& root :
       {manifest.data, manifest.meta, manifest.wal.value_or(manifest.meta)})
    require_invariant(writer.holds_tree(root),
                      "the trees of a snapshot are stored before it is published");
  return catalog.publish(std::move(manifest));
}

}  // namespace tsmfs::snapshot
