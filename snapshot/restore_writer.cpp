#include "snapshot/restore_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <set>
#include <utility>

#include "index/base/directory.h"
#include "index/base/error.h"

namespace tsmfs::snapshot {

namespace {

namespace stdfs = std::filesystem;

constexpr unsigned kFileMode = 0644;  // as the server's own
constexpr unsigned kDirectoryMode = 0755;
constexpr size_t kOpenFilesMax = 128;
constexpr const char* kStagingSuffix = ".tsmfs-restore";
constexpr const char* kOldSuffix = ".tsmfs-old";

stdfs::path beside(const stdfs::path& target, const char* suffix) {
  return target.parent_path() / ("." + target.filename().string() + suffix);
}

void own(const Fd& fd, const stdfs::path& path, unsigned mode, const FileOwner& owner) {
  if (::fchmod(fd.number(), mode) != 0) throw_errno("cannot set the mode of " + path.string());
  struct stat status {};
  if (::fstat(fd.number(), &status) != 0) throw_errno("cannot stat " + path.string());
  if (status.st_uid == owner.user && status.st_gid == owner.group) return;
  if (::fchown(fd.number(), owner.user, owner.group) != 0)
    throw_errno(
        fmt::format("cannot give {} to user {}, group {}", path.string(), owner.user, owner.group),
        "run this as root");
}

void make_owned_directory(const stdfs::path& path, const FileOwner& owner) {
  if (::mkdir(path.c_str(), 0700) != 0) throw_errno("cannot create " + path.string());
  own(open_file(path, O_RDONLY | O_DIRECTORY), path, kDirectoryMode, owner);
}

void write_pieces(const Fd& fd, const std::vector<index::Slice>& slices, const stdfs::path& path) {
  std::array<iovec, IOV_MAX> pieces;
  for (size_t first = 0; first < slices.size();) {
    const size_t count = std::min(slices.size() - first, pieces.size());
    for (size_t i = 0; i < count; ++i) {
      const ByteView bytes = slices[first + i].bytes;
      pieces[i] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
    }
    const ssize_t result = ::writev(fd.number(), pieces.data(), static_cast<int>(count));
    if (result < 0 && errno == EINTR) continue;
    if (result < 0) throw_errno("cannot write " + path.string());
    auto written = static_cast<size_t>(result);
    const size_t end = first + count;
    while (first < end && written >= slices[first].bytes.size())
      written -= slices[first++].bytes.size();
    if (first < end && written > 0) write_all(fd, slices[first++].bytes.subspan(written), path);
  }
}

// The new directory takes the place of the old one, which goes to the new one's name.
void exchange(const stdfs::path& fresh, const stdfs::path& old) {
  if (exchange_files(fresh, old)) return;
  // A file system without an exchange: for a moment there is neither.
  const stdfs::path aside = beside(old, kOldSuffix);
  rename_file(old, aside);
  try {
    rename_file(fresh, old);
  } catch (...) {
    rename_file(aside, old);
    throw;
  }
  rename_file(aside, fresh);
}

}  // namespace

std::vector<stdfs::path> make_owned_directories(const stdfs::path& directory,
                                                const FileOwner& owner) {
  std::vector<stdfs::path> made;
  if (directory.empty() || path_exists(directory)) return made;
  if (!directory.has_filename() || directory.filename() == ".")
    return make_owned_directories(directory.parent_path(), owner);
  if (directory.has_relative_path()) made = make_owned_directories(directory.parent_path(), owner);
  make_owned_directory(directory, owner);
  made.push_back(directory);
  return made;
}

RestoreWriter::RestoreWriter(const index::DigestKey& key, stdfs::path datadir, FileOwner owner,
                             OnShard on_shard)
    : key_(key),
      datadir_(std::move(datadir)),
      owner_(owner),
      on_shard_(std::move(on_shard)),
      batch_(std::make_shared<Batch>()) {
  make_directories(datadir_);
}

RestoreWriter::~RestoreWriter() {
  if (commit_.valid()) commit_.wait();
  for (const auto& batch : {committing_, batch_}) {
    if (!batch) continue;
    // What lies there is the new shard, unfinished, or the old one, replaced.
    for (const StagedShard& shard : batch->shards) try_remove_tree(shard.staging);
  }
  for (auto path = made_.rbegin(); path != made_.rend(); ++path) ::rmdir(path->c_str());
}

void RestoreWriter::make_directories(const stdfs::path& directory) {
  const auto made = make_owned_directories(directory, owner_);
  made_.insert(made_.end(), made.begin(), made.end());
  for (const stdfs::path& path : made) sync_directory(path.parent_path());
}

void RestoreWriter::begin_shard(const RestoreShard& shard) {
  StagedShard staged;
  staged.shard = &shard;
  staged.target = shard_directory(datadir_, shard.to);
  staged.staging = beside(staged.target, kStagingSuffix);
  make_directories(staged.target.parent_path());
  remove_tree(staged.staging);  // of a restore that was killed
  make_owned_directory(staged.staging, owner_);
  batch_->shards.push_back(std::move(staged));
}

void RestoreWriter::begin_file(const TreeEntry& file) {
  if (batch_->open_files >= kOpenFilesMax) {
    for (StagedShard& shard : batch_->shards) {
      for (const StagedFile& each : shard.files) sync_file(each.fd, each.path);
      shard.files.clear();
    }
    batch_->open_files = 0;
  }
  StagedShard& shard = batch_->shards.back();
  StagedFile staged;
  staged.path = shard.staging / file.name;
  staged.fd = open_file(staged.path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  own(staged.fd, staged.path, kFileMode, owner_);
  shard.files.push_back(std::move(staged));
  ++batch_->open_files;
  file_ = &file;
  digest_.emplace(key_);
}

void RestoreWriter::write(const std::vector<index::Slice>& slices) {
  const StagedFile& staged = batch_->shards.back().files.back();
  write_pieces(staged.fd, slices, staged.path);
  for (const index::Slice& slice : slices) {
    digest_->update(slice.bytes);
    batch_->bytes += slice.bytes.size();
  }
}

void RestoreWriter::end_file() {
  const StagedFile& staged = batch_->shards.back().files.back();
  if (digest_->file_id() != file_->file())
    throw CorruptError(fmt::format("{} came out of the repository damaged: its digest is not {}",
                                   staged.path.string(), file_->file().hex()),
                       "run tsmfs check --read-data, and restore another snapshot");
  constexpr int64_t kSecond = 1'000'000'000;
  int64_t ns = file_->mtime.unix_ns % kSecond;
  if (ns < 0) ns += kSecond;
  const timespec mtime{(file_->mtime.unix_ns - ns) / kSecond, ns};
  const timespec times[2] = {mtime, mtime};
  if (::futimens(staged.fd.number(), times) != 0)
    throw_errno("cannot set the time of " + staged.path.string());
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
  std::set<stdfs::path> parents;
  // All files are on their way to the disk before the first is waited for. A hint: what it fails
  // at, the sync finds.
  for (const StagedShard& shard : batch.shards)
    for (const StagedFile& file : shard.files)
      ::sync_file_range(file.fd.number(), 0, 0, SYNC_FILE_RANGE_WRITE);
  for (StagedShard& shard : batch.shards) {
    for (const StagedFile& file : shard.files) sync_file(file.fd, file.path);
    shard.files.clear();
    sync_directory(shard.staging);
  }
  for (const StagedShard& shard : batch.shards) {
    if (holds_something(shard.target))
      exchange(shard.staging, shard.target);
    else
      rename_file(shard.staging, shard.target);  // also over an empty directory
    parents.insert(shard.target.parent_path());
  }
  for (const stdfs::path& parent : parents) sync_directory(parent);
  for (const StagedShard& shard : batch.shards) {
    remove_tree(shard.staging);  // the old shard, with its index/ and fields.idx
    on_shard_(*shard.shard);
  }
  batch.shards.clear();
}

}  // namespace tsmfs::snapshot
