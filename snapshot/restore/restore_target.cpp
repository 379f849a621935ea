#include "snapshot/restore/restore_target.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "index/base/directory_users.h"
#include "index/base/error.h"
#include "index/base/format_bytes.h"
#include "index/base/held_directory.h"
#include "index/base/some_of.h"
#include "snapshot/restore/restore_tree.h"
#include "snapshot/restore/restore_writer.h"

namespace tsmfs::snapshot {

namespace {

namespace stdfs = std::filesystem;

constexpr uint64_t kBlockBytes = 4096;
constexpr size_t kPresentNamedMax = 5;

std::vector<stdfs::path> directories(const RestoreRequest& request) {
  std::vector<stdfs::path> found;
  for (const stdfs::path& path : {request.metadir, request.datadir, request.waldir})
    if (!path.empty()) found.push_back(path);
  return found;
}

// Without links, and not held any more: holding it would count as a use. Empty when it is absent.
stdfs::path where_it_lies(const stdfs::path& directory) {
  const auto reached = Directory::reach(directory);
  return reached.missing.empty() ? reached.directory.real_path() : stdfs::path();
}

void require_vacant(const RestorePlan& plan, const RestoreRequest& request) {
  if (request.overwrite || request.merge) return;
  std::vector<std::string> there;
  const auto look = [&](const std::vector<RestoreShard>& shards, const stdfs::path& target) {
    for (const RestoreShard& shard : shards) {
      if (shard.replaces) there.push_back(shard_directory(target, shard.to).string());
    }
  };
  look(plan.shards, request.datadir);
  look(plan.wal, request.waldir);
  if (there.empty()) return;
  throw UsageError(fmt::format("{} {} there already", some_of(there, kPresentNamedMax),
                               there.size() == 1 ? "is" : "are"),
                   "--overwrite replaces them, --skip-existing leaves them, --merge adds to them");
}

uint64_t blocks(uint64_t bytes) {
  return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

uint64_t bytes_in(const Directory& directory) {
  uint64_t sum = 0;
  for (const std::string& name : directory.list()) {
    const auto status = directory.status(name);
    if (status && S_ISREG(status->st_mode)) sum += static_cast<uint64_t>(status->st_size);
    if (status && S_ISDIR(status->st_mode)) sum += bytes_in(directory.enter(name));
  }
  return sum;
}

uint64_t bytes_of_shard(const Directory& data, const ShardPath& shard) {
  const auto directory = find_shard_directory(data, shard);
  return directory ? bytes_in(*directory) : 0;
}

// The most that is on disk at once; `data` is null when the directory is yet to be made. A shard
// that is replaced goes a batch after its successor came.
uint64_t peak_bytes(const std::vector<RestoreShard>& shards, const Directory* data) {
  uint64_t written = 0, freed = 0, peak = 0;
  size_t oldest = 0;  // of the shards whose predecessors are there yet
  uint64_t behind = 0;
  for (const RestoreShard& shard : shards) {
    uint64_t own = kBlockBytes;
    for (const TreeEntry& file : shard.files) own += blocks(file.size);
    written += own;
    behind += shard.bytes;
    for (; behind > RestoreWriter::kBytesUncommittedMax + shard.bytes; ++oldest) {
      const RestoreShard& gone = shards[oldest];
      behind -= gone.bytes;
      if (gone.replaces && !gone.kept && data) freed += bytes_of_shard(*data, gone.to);
    }
    peak = std::max(peak, written - std::min(written, freed));
  }
  return peak;
}

void require_space(const stdfs::path& directory, const Directory& there, uint64_t wanted) {
  struct statvfs disk {};
  if (::fstatvfs(there.fd().number(), &disk) != 0)
    throw_errno("cannot ask for the space of " + there.path().string());
  const uint64_t available = disk.f_bavail * uint64_t{disk.f_frsize};
  if (wanted > available)
    throw Error(fmt::format("{} are wanted in {}, and its disk has {} left", format_bytes(wanted),
                            directory.string(), format_bytes(available)),
                "make room, or restore less at once: --database, --retention, --shard");
}

// Of a directory that is wanted, or empty. Each counts its disk as its own.
void require_room(const std::vector<RestoreShard>& shards, const stdfs::path& target,
                  const RestoreRequest& request) {
  if (target.empty()) return;
  const auto [there, missing] = reach_target(target, request.owner);
  there.require_writable();
  require_space(target, there, peak_bytes(shards, missing.empty() ? &there : nullptr));
}

void require_chown(const RestoreRequest& request) {
  if (::geteuid() == 0) return;
  for (const stdfs::path& path : directories(request)) {
    const FileOwner owner = owner_in(Directory::reach(path).directory, request.owner);
    if (owner.user != ::geteuid())
      throw UsageError(fmt::format("what is restored to {} is to belong to user {}, and only root "
                                   "can give files away",
                                   path.string(), owner.user),
                       "run this as root, or as that user");
  }
}

}  // namespace

void require_no_server(const RestoreRequest& request) {
  for (const stdfs::path& path : directories(request)) {
    const stdfs::path resolved = where_it_lies(path);
    if (resolved.empty()) continue;
    auto users = find_directory_users(resolved, DirectoryUse::kFiles);
    std::erase_if(users,
                  [](const DirectoryUser& user) { return !user.name.starts_with("influxd"); });
    if (!users.empty())
      throw BusyError(fmt::format("{} has files of {} open", describe_users(users), path.string()),
                      "stop it first (systemctl stop influxdb), or restore into it with --online");
  }
}

void check_target(const RestorePlan& plan, const RestoreRequest& request) {
  require_no_server(request);
  require_vacant(plan, request);
  require_chown(request);
  require_room(plan.shards, request.datadir, request);
  require_room(plan.wal, request.waldir, request);
  if (plan.meta_db) {
    const auto meta = reach_target(request.metadir, request.owner).directory;
    meta.require_writable();
    require_space(request.metadir, meta, blocks(plan.meta_db->size()));
  }
}

}  // namespace tsmfs::snapshot
