#include "snapshot/restore/shards_on_disk.h"

#include <string>

#include "index/base/directory.h"

namespace tsmfs::snapshot {

namespace {

namespace stdfs = std::filesystem;

// The directories that `visit` wants: (name, path), none when `path` is no directory.
template <typename Visit>
void for_each_directory(const stdfs::path& path, Visit visit) {
  if (!directory_exists(path)) return;
  for (const std::string& name : list_directory(path))
    if (directory_exists(path / name)) visit(name, path / name);
}

}  // namespace

ShardsOnDisk list_shards_on_disk(const stdfs::path& datadir) {
  ShardsOnDisk shards;
  if (datadir.empty()) return shards;
  for_each_directory(datadir, [&](const std::string& database, const stdfs::path& policies) {
    for_each_directory(policies, [&](const std::string& policy, const stdfs::path& ids) {
      for_each_directory(ids, [&](const std::string& id, const stdfs::path&) {
        const auto path = parse_shard_path(database + "/" + policy + "/" + id);
        if (path) shards.emplace(path->shard, *path);
      });
    });
  });
  return shards;
}

std::filesystem::path beside_data(const std::filesystem::path& datadir, const char* name) {
  // With a slash at its end the last name is the directory's own, however that is written.
  const auto data = absolute_path(datadir / "").lexically_normal().parent_path();
  return data.parent_path() / name;
}

}  // namespace tsmfs::snapshot
