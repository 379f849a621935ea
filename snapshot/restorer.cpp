#include "snapshot/restorer.h"

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

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "snapshot/read_ahead.h"
#include "snapshot/restore_writer.h"

namespace tsmfs::snapshot {

namespace {

namespace stdfs = std::filesystem;

constexpr unsigned kNewMetaDbMode = 0600;  // it holds password hashes
constexpr size_t kVerifyBytes = size_t{1} << 20;

// Keeps a second restore out of a directory until it is closed.
Fd lock_directory(const stdfs::path& directory) {
  Fd fd = open_file(directory, O_RDONLY | O_DIRECTORY);
  if (::flock(fd.number(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno == EWOULDBLOCK)
    throw BusyError("another restore is writing to " + directory.string(), "wait for it");
  throw_errno("cannot lock " + directory.string());
}

void write_data(index::Repository& repository, const RestorePlan& plan,
                const RestoreRequest& request, const RestoreOptions& options,
                const std::stop_token& stop) {
  size_t done = 0;
  RestoreWriter writer(repository.key(), request.datadir,
                       target_owner(request.datadir, request.owner),
                       [&](const RestoreShard& shard) {
                         options.on_shard({shard, ++done, plan.shards.size()});
                         if (options.progress) options.progress->shards_done = done;
                       });
  const Fd lock = lock_directory(request.datadir);
  std::vector<WantedFile> files;
  for (const RestoreShard& shard : plan.shards)
    for (const TreeEntry& file : shard.files) files.push_back({file.file(), file.size});
  const unsigned threads = options.threads > 0
                               ? options.threads
                               : std::clamp(std::thread::hardware_concurrency(), 2u, 8u);
  ReadAhead ahead(repository.objects(), std::move(files), threads);
  for (const RestoreShard& shard : plan.shards) {
    writer.begin_shard(shard);
    for (const TreeEntry& file : shard.files) {
      writer.begin_file(file);
      for (bool last = false; !last;) {
        if (stop.stop_requested()) throw Cancelled();
        const auto window = ahead.next();
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

void require_unchanged(const stdfs::path& path, const std::optional<std::string>& before) {
  std::optional<std::string> now;
  if (path_exists(path)) now = read_whole_file(path, kMetastoreBytesMax);
  if (now != before)
    throw BusyError(path.string() + " has changed since the restore began, so it is left alone",
                    "stop influxd, and restore again with --overwrite");
}

void write_meta_db(const RestorePlan& plan, const RestoreRequest& request) {
  const stdfs::path path = meta_db_path(request.metadir);
  const FileOwner owner = target_owner(request.metadir, request.owner);
  make_owned_directories(request.metadir, owner);
  const Fd lock = lock_directory(request.metadir);
  require_unchanged(path, plan.meta_db_before);
  const auto old = status_if_exists(path);
  AtomicFile file(request.metadir / ".meta.db.tsmfs-restore", path);
  file.write(as_bytes(*plan.meta_db));
  if (::fchmod(file.fd().number(), old ? old->st_mode & 07777 : kNewMetaDbMode) != 0)
    throw_errno("cannot set the mode of " + file.temporary().string());
  if (::geteuid() == 0 && ::fchown(file.fd().number(), owner.user, owner.group) != 0)
    throw_errno("cannot set the owner of " + file.temporary().string());
  file.publish();
}

// From the disk, not from what the kernel still has in memory of the writing.
index::FileId digest_on_disk(const stdfs::path& path, const index::DigestKey& key,
                             const std::stop_token& stop) {
  const Fd fd = open_file(path, O_RDONLY);
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
  for (const RestoreShard& shard : plan.shards)
    for (const TreeEntry& file : shard.files) {
      const stdfs::path path = shard_directory(request.datadir, shard.to) / file.name;
      if (digest_on_disk(path, key, stop) != file.file()) fail(path);
    }
  if (!plan.meta_db) return;
  const stdfs::path path = meta_db_path(request.metadir);
  if (read_whole_file(path, kMetastoreBytesMax) != *plan.meta_db) fail(path);
}

}  // namespace

void restore(index::Repository& repository, const RestorePlan& plan, const RestoreRequest& request,
             const RestoreOptions& options, std::stop_token stop) {
  if (plan.meta_db) require_unchanged(meta_db_path(request.metadir), plan.meta_db_before);
  if (!request.datadir.empty()) write_data(repository, plan, request, options, stop);
  if (stop.stop_requested()) throw Cancelled();
  require_no_server(request);
  if (plan.meta_db) write_meta_db(plan, request);
  if (options.verify) verify(plan, request, repository.key(), stop);
}

}  // namespace tsmfs::snapshot
