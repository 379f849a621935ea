#include "snapshot/restore/restorer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "index/base/error.h"
#include "index/base/held_directory.h"
#include "index/base/new_file.h"
#include "snapshot/restore/restore_tree.h"
#include "snapshot/restore/restore_writer.h"
#include "snapshot/restore/target_meta_db.h"
#include "snapshot/stream/file_sequence_reader.h"

namespace tsmfs::snapshot {

namespace {

namespace stdfs = std::filesystem;

constexpr const char* kNewMetaDb = ".meta.db.tsmfs-restore";
constexpr unsigned kNewMetaDbMode = 0600;  // it holds password hashes
constexpr mode_t kPermissions = 0777;
constexpr size_t kVerifyBytes = size_t{1} << 20;

// Keeps a second restore out of a directory for as long as it is held.
void lock(const Directory& directory) {
  if (::flock(directory.fd().number(), LOCK_EX | LOCK_NB) == 0) return;
  if (errno == EWOULDBLOCK)
    throw BusyError("another restore is writing to " + directory.path().string(), "wait for it");
  throw_errno("cannot lock " + directory.path().string());
}

// What goes below one directory of the server's: its data, or its write-ahead log.
void write_shards(index::Repository& repository, const std::vector<RestoreShard>& shards,
                  const stdfs::path& target, const RestoreRequest& request,
                  const RestoreOptions& options, const RestoreWriter::OnShard& on_shard,
                  const std::stop_token& stop) {
  RestoreWriter writer(repository.key(), target, request.owner, on_shard);
  lock(writer.datadir());
  std::vector<WantedFile> files;
  for (const RestoreShard& shard : shards)
    for (const TreeEntry& file : shard.files) files.push_back({file.file(), file.size});
  const unsigned threads = options.threads > 0
                               ? options.threads
                               : std::clamp(std::thread::hardware_concurrency(), 2u, 8u);
  FileSequenceReader content(repository.objects(), std::move(files), threads);
  for (const RestoreShard& shard : shards) {
    writer.begin_shard(shard);
    for (const TreeEntry& file : shard.files) {
      writer.begin_file(file);
      for (bool last = false; !last;) {
        if (stop.stop_requested()) throw Cancelled();
        const auto window = content.next();
        writer.write(window->slices);
        if (options.progress) options.progress->written_bytes += window->bytes();
        last = window->last;
      }
      writer.end_file();
    }
    writer.end_shard();
  }
  if (stop.stop_requested()) throw Cancelled();
  writer.commit();
}

void write_data(index::Repository& repository, const RestorePlan& plan,
                const RestoreRequest& request, const RestoreOptions& options,
                const std::stop_token& stop) {
  size_t done = 0;
  write_shards(
      repository, plan.shards, request.datadir, request, options,
      [&](const RestoreShard& shard) {
        options.on_shard({shard, ++done, plan.shards.size()});
        if (options.progress) options.progress->shards_done = done;
      },
      stop);
  if (!plan.wal.empty())
    write_shards(
        repository, plan.wal, request.waldir, request, options, [](const auto&) {}, stop);
}

void require_unchanged(const Directory& metadir, const std::optional<std::string>& before,
                       bool merges) {
  if (read_target_meta_db(metadir) != before)
    throw BusyError(metadir.path(kMetaDb).string() +
                        " has changed since the restore began, so it is left alone",
                    merges ? "stop influxd, and merge again"
                           : "stop influxd, and restore again with --overwrite");
}

// As write_meta_db() will, before anything is written.
void require_unchanged(const RestorePlan& plan, const RestoreRequest& request) {
  const auto [metadir, missing] = reach_target(request.metadir, request.owner);
  if (missing.empty()) require_unchanged(metadir, plan.meta_db_before, request.merge.has_value());
}

void write_meta_db(const RestorePlan& plan, const RestoreRequest& request) {
  RestoreTree tree(request.metadir, request.owner);
  const Directory& metadir = tree.root();
  lock(metadir);
  require_unchanged(metadir, plan.meta_db_before, request.merge.has_value());
  const auto old = metadir.status(kMetaDb);
  NewFile file(metadir, kNewMetaDb);
  file.write(as_bytes(*plan.meta_db));
  file.give(old ? old->st_mode & kPermissions : kNewMetaDbMode, tree.owner());
  file.publish(kMetaDb);
}

// From the disk, not from what the kernel still has in memory of the writing.
index::FileId digest_on_disk(const Directory& directory, const std::string& name,
                             const index::DigestKey& key, const std::stop_token& stop) {
  const Fd fd = directory.open_file(name);
  const stdfs::path path = directory.path(name);
  ::posix_fadvise(fd.number(), 0, 0, POSIX_FADV_DONTNEED);
  index::DigestStream digest(key);
  RawBuffer buffer(kVerifyBytes);
  const uint64_t size = file_size(fd, path);
  for (uint64_t offset = 0; offset < size;) {
    if (stop.stop_requested()) throw Cancelled();
    const auto piece = buffer.span().first(std::min<uint64_t>(kVerifyBytes, size - offset));
    pread_exactly(fd, offset, piece, path);
    digest.update(piece);
    offset += piece.size();
  }
  return digest.file_id();
}

void verify(const RestorePlan& plan, const RestoreRequest& request, const index::DigestKey& key,
            const std::stop_token& stop) {
  const auto fail = [](const stdfs::path& path) {
    throw CorruptError(path.string() + " does not read back as it was written",
                       "the disk or its file system is at fault: see the kernel's log");
  };
  const auto verify_shards = [&](const std::vector<RestoreShard>& shards,
                                 const stdfs::path& target) {
    if (shards.empty()) return;
    const Directory top = reach_target(target, request.owner).directory;
    for (const RestoreShard& shard : shards) {
      const auto directory = find_shard_directory(top, shard.to);
      if (!directory) fail(shard_directory(target, shard.to));
      for (const TreeEntry& file : shard.files)
        if (digest_on_disk(*directory, file.name, key, stop) != file.file())
          fail(directory->path(file.name));
    }
  };
  verify_shards(plan.shards, request.datadir);
  verify_shards(plan.wal, request.waldir);
  if (!plan.meta_db) return;
  const Directory metadir = reach_target(request.metadir, request.owner).directory;
  if (read_target_meta_db(metadir) != plan.meta_db) fail(metadir.path(kMetaDb));
}

}  // namespace

void restore(index::Repository& repository, const RestorePlan& plan, const RestoreRequest& request,
             const RestoreOptions& options, std::stop_token stop) {
  if (plan.meta_db) require_unchanged(plan, request);
  if (!request.datadir.empty()) write_data(repository, plan, request, options, stop);
  if (stop.stop_requested()) throw Cancelled();
  require_no_server(request);
  if (plan.meta_db) write_meta_db(plan, request);
  if (options.verify) verify(plan, request, repository.key(), stop);
}

}  // namespace tsmfs::snapshot
