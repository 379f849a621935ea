#include "snapshot/restore/restore_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <exception>
#include <set>
#include <utility>

#include "index/base/error.h"
#include "index/base/file_time.h"
#include "snapshot/stream/byte_sink.h"

namespace tsmfs::snapshot {

namespace {

namespace stdfs = std::filesystem;

constexpr unsigned kRestoredFileMode = 0644;  // as the server's own
constexpr unsigned kShardDirectoryMode = 0755;
constexpr size_t kOpenFilesMax = 192;
constexpr const char* kStagingSuffix = ".tsmfs-restore";
constexpr const char* kOldSuffix = ".tsmfs-old";

std::string beside(const std::string& name, const char* suffix) {
  return "." + name + suffix;
}

// The new directory takes the place of what is there, which goes to the new one's name.
void exchange(const Directory& parent, const std::string& fresh, const std::string& old) {
  if (parent.exchange(fresh, old)) return;
  // A file system without an exchange: for a moment there is neither.
  const std::string aside = beside(old, kOldSuffix);
  parent.remove_tree(aside);
  parent.rename(old, parent, aside);
  try {
    parent.rename(fresh, parent, old);
  } catch (...) {
    parent.rename(aside, parent, old);
    throw;
  }
  parent.rename(aside, parent, fresh);
}

// Is there something that the shard is to replace?
bool is_taken(const Directory& parent, const std::string& name, bool replaces) {
  const auto there = parent.status(name);
  if (!there) return false;
  if (replaces) return true;
  if (S_ISDIR(there->st_mode) && parent.enter(name).empty()) return false;
  throw UsageError(parent.path(name).string() + " is in the way, which the restore did not expect",
                   "look at it; when it can go, remove it and restore again");
}

// In a merge the new directory has what the old one has, as it was when it was planned.
void link_kept(const Directory& there, const Directory& fresh, const std::vector<KeptFile>& kept) {
  const auto names = lasting_files(there);
  if (!std::ranges::equal(names, kept, {}, {}, &KeptFile::name))
    throw BusyError(there.path().string() + " has changed since the restore began",
                    "see what writes there, and restore again");
  for (const KeptFile& file : kept) {
    there.link(file.name, fresh, file.new_name);
    if (file.new_name != file.name) fresh.touch(file.new_name);
  }
}

// Better now than when the new shard has taken its place.
void require_removable(const Directory& parent, const std::string& name) {
  const auto there = parent.status(name);
  if (there && S_ISDIR(there->st_mode)) parent.enter(name).require_writable();
}

}  // namespace

RestoreWriter::RestoreWriter(const index::DigestKey& key, const stdfs::path& datadir,
                             const Owner& owner, OnShard on_shard)
    : key_(key),
      on_shard_(std::move(on_shard)),
      tree_(datadir, owner),
      batch_(std::make_shared<Batch>()) {}

RestoreWriter::~RestoreWriter() {
  if (commit_.valid()) commit_.wait();
  for (const auto& batch : {committing_, batch_}) {
    if (!batch) continue;
    // What lies there is the new shard, unfinished, or the old one, replaced.
    for (const StagedShard& shard : batch->shards) {
      try {
        shard.parent->remove_tree(beside(shard.name, kStagingSuffix));
      } catch (const std::exception&) {
        // What led here is told; the next restore of the shard removes it.
      }
    }
  }
}

void RestoreWriter::begin_shard(const RestoreShard& shard) {
  std::string name = std::to_string(shard.to.shard);
  auto parent = tree_.policy_of(shard.to);
  if (is_taken(*parent, name, shard.replaces)) require_removable(*parent, name);
  const std::string staging = beside(name, kStagingSuffix);
  parent->remove_tree(staging);  // of a restore that was killed
  Directory fresh = parent->make_directory(staging);
  batch_->shards.push_back({&shard, std::move(parent), std::move(name), std::move(fresh), {}});
  ++batch_->open_files;
}

void RestoreWriter::begin_file(const TreeEntry& file) {
  if (batch_->open_files >= kOpenFilesMax) {
    for (StagedShard& shard : batch_->shards) sync_files(shard);
    batch_->open_files = batch_->shards.size();
  }
  StagedShard& shard = batch_->shards.back();
  shard.files.push_back({shard.staging.create_file(file.name), file.name});
  ++batch_->open_files;
  file_ = &file;
  digest_.emplace(key_);
}

// Gives them away before: that is durable too then.
void RestoreWriter::sync_files(StagedShard& shard) const {
  for (const StagedFile& file : shard.files) {
    shard.staging.give(file.fd, file.name, kRestoredFileMode, tree_.owner());
    sync_file(file.fd, shard.staging.path(file.name));
  }
  shard.files.clear();
}

void RestoreWriter::write(const std::vector<index::Slice>& slices) {
  const StagedShard& shard = batch_->shards.back();
  const StagedFile& staged = shard.files.back();
  std::vector<ByteView> pieces;
  for (const index::Slice& slice : slices) pieces.push_back(slice.bytes);
  FileSink(staged.fd, shard.staging.path(staged.name)).write_pieces(pieces);
  for (const ByteView piece : pieces) {
    digest_->update(piece);
    batch_->bytes += piece.size();
  }
}

void RestoreWriter::end_file() {
  const StagedShard& shard = batch_->shards.back();
  const StagedFile& staged = shard.files.back();
  const stdfs::path path = shard.staging.path(staged.name);
  if (digest_->file_id() != file_->file())
    throw CorruptError(fmt::format("{} came out of the repository damaged: its digest is not {}",
                                   path.string(), file_->file().hex()),
                       "run tsmfs check --read-data, and restore another snapshot");
  set_file_time(staged.fd, file_->mtime, path);
}

void RestoreWriter::end_shard() {
  if (batch_->bytes >= kBatchBytesMax || batch_->open_files >= kOpenFilesMax) start_commit();
}

void RestoreWriter::start_commit() {
  finish_commit();
  committing_ = std::exchange(batch_, std::make_shared<Batch>());
  commit_ = std::async(std::launch::async, [this] { put_in_place(*committing_); });
}

void RestoreWriter::finish_commit() {
  if (commit_.valid()) commit_.get();
}

void RestoreWriter::commit() {
  start_commit();
  finish_commit();
}

void RestoreWriter::put_in_place(Batch& batch) const {
  std::set<const Directory*> parents;
  // All files are on their way to the disk before the first is waited for. A hint: what it fails
  // at, the sync finds.
  for (const StagedShard& shard : batch.shards)
    for (const StagedFile& file : shard.files)
      ::sync_file_range(file.fd.number(), 0, 0, SYNC_FILE_RANGE_WRITE);
  for (StagedShard& shard : batch.shards) {
    sync_files(shard);
    if (shard.shard->kept)
      link_kept(shard.parent->enter(shard.name), shard.staging, *shard.shard->kept);
    shard.staging.give(kShardDirectoryMode, tree_.owner());
    shard.staging.sync();
  }
  for (const StagedShard& shard : batch.shards) {
    const std::string staging = beside(shard.name, kStagingSuffix);
    if (is_taken(*shard.parent, shard.name, shard.shard->replaces))
      exchange(*shard.parent, staging, shard.name);
    else
      shard.parent->rename(staging, *shard.parent, shard.name);  // also over an empty directory
    parents.insert(shard.parent.get());
  }
  for (const Directory* parent : parents) parent->sync();
  for (const StagedShard& shard : batch.shards) {
    // The old shard, with its index/, fields.idx and fields.idxl; and what a killed restore put
    // aside of it.
    shard.parent->remove_tree(beside(shard.name, kStagingSuffix));
    shard.parent->remove_tree(beside(shard.name, kOldSuffix));
    on_shard_(*shard.shard);
  }
  batch.shards.clear();
}

}  // namespace tsmfs::snapshot
