#include "snapshot/restore_target.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "index/base/directory.h"
#include "index/base/directory_users.h"
#include "index/base/error.h"
#include "snapshot/restore_writer.h"

namespace tsmfs::snapshot {

namespace {

namespace stdfs = std::filesystem;

constexpr uint64_t kBlockBytes = 4096;
constexpr size_t kShardsNamedMax = 5;

// The directory, or the nearest one above it that is there.
stdfs::path nearest(const stdfs::path& directory) {
  stdfs::path path = absolute_path(directory).lexically_normal();
  while (!path_exists(path) && path.has_relative_path()) path = path.parent_path();
  return path;
}

std::vector<stdfs::path> directories(const RestoreRequest& request) {
  std::vector<stdfs::path> found;
  for (const stdfs::path& path : {request.metadir, request.datadir})
    if (!path.empty()) found.push_back(path);
  return found;
}

void require_directories(const RestoreRequest& request) {
  for (const stdfs::path& path : directories(request))
    if (!directory_exists(nearest(path)))
      throw UsageError(nearest(path).string() + " is not a directory");
}

void require_vacant(const RestorePlan& plan, const RestoreRequest& request) {
  if (request.overwrite) return;
  std::string named;
  size_t count = 0;
  for (const RestoreShard& shard : plan.shards) {
    if (!shard.replaces || ++count > kShardsNamedMax) continue;
    named += (named.empty() ? "" : ", ") + shard_directory(request.datadir, shard.to).string();
  }
  if (count == 0) return;
  throw UsageError(
      fmt::format(
          "{}{} {} there already", named,
          count > kShardsNamedMax ? fmt::format(" and {} more", count - kShardsNamedMax) : "",
          count == 1 ? "is" : "are"),
      "--overwrite replaces them");
}

uint64_t blocks(uint64_t bytes) {
  return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

// The most that is on disk at once. A shard that is replaced goes a batch after its successor came.
uint64_t peak_bytes(const RestorePlan& plan, const RestoreRequest& request) {
  uint64_t written = 0, freed = 0, peak = 0;
  size_t oldest = 0;  // of the shards whose predecessors are there yet
  uint64_t behind = 0;
  for (const RestoreShard& shard : plan.shards) {
    uint64_t own = kBlockBytes;
    for (const TreeEntry& file : shard.files) own += blocks(file.size);
    written += own;
    behind += shard.bytes;
    for (; behind > RestoreWriter::kBytesUncommittedMax + shard.bytes; ++oldest) {
      const RestoreShard& gone = plan.shards[oldest];
      behind -= gone.bytes;
      if (gone.replaces) freed += bytes_below(shard_directory(request.datadir, gone.to));
    }
    peak = std::max(peak, written - std::min(written, freed));
  }
  return peak;
}

void require_space(const stdfs::path& directory, uint64_t wanted) {
  struct statvfs disk {};
  const stdfs::path there = nearest(directory);
  if (::statvfs(there.c_str(), &disk) != 0)
    throw_errno("cannot ask for the space of " + there.string());
  const uint64_t available = disk.f_bavail * uint64_t{disk.f_frsize};
  if (wanted > available)
    throw Error(fmt::format("{} bytes are wanted in {}, and its disk has {} left", wanted,
                            directory.string(), available),
                "make room, or restore less at once: --database, --retention, --shard");
}

void require_chown(const RestoreRequest& request) {
  if (::geteuid() == 0) return;
  for (const stdfs::path& path : directories(request)) {
    const FileOwner owner = target_owner(path, request.owner);
    if (owner.user != ::geteuid())
      throw UsageError(fmt::format("what is restored to {} is to belong to user {}, and only root "
                                   "can give files away",
                                   path.string(), owner.user),
                       "run this as root, or as that user");
  }
}

}  // namespace

FileOwner target_owner(const stdfs::path& directory, const Owner& wanted) {
  const struct stat status = status_of(nearest(directory));
  return {wanted.user.value_or(status.st_uid), wanted.group.value_or(status.st_gid)};
}

void require_no_server(const RestoreRequest& request) {
  for (const stdfs::path& path : directories(request)) {
    const auto resolved = resolve_if_exists(path);
    if (!resolved) continue;  // not there yet
    auto users = find_directory_users(*resolved, DirectoryUse::kFiles);
    std::erase_if(users,
                  [](const DirectoryUser& user) { return !user.name.starts_with("influxd"); });
    if (!users.empty())
      throw BusyError(fmt::format("{} has files of {} open", describe_users(users), path.string()),
                      "stop it first (systemctl stop influxdb), or restore into it with --online");
  }
}

void check_target(const RestorePlan& plan, const RestoreRequest& request) {
  require_directories(request);
  require_no_server(request);
  require_vacant(plan, request);
  require_chown(request);
  if (!request.datadir.empty()) require_space(request.datadir, peak_bytes(plan, request));
  if (plan.meta_db) require_space(request.metadir, blocks(plan.meta_db->size()));
}

}  // namespace tsmfs::snapshot
