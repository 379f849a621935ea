// Makes a repository of many snapshots of many small shards, some of which change each time: for
// measuring what grows with the number of snapshots.
//
//   tsmfs_many_snapshots REPOSITORY SNAPSHOTS SHARDS CHANGED
#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>

#include "index/base/error.h"
#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "snapshot/intake/snapshot_builder.h"
#include "snapshot/model/catalog.h"
#include "tests/support/store_fixture.h"

namespace {

using namespace tsmfs;

struct Size {
  size_t snapshots = 0, shards = 0, changed = 0;
};

snapshot::TreeEntry store_file(index::RepositoryWriter& writer, uint64_t seed) {
  const ByteBuffer content = test::make_tsm(3, 400, seed);
  const auto stored = test::put(writer, content, index::FileKind::kTsm);
  return {"000000001-000000001.tsm",
          snapshot::EntryKind::kFile,
          0644,
          {},
          content.size(),
          0,
          stored.id};
}

// Every hour one; each pack is what one backup leaves.
void make(const std::filesystem::path& root, const Size& size) {
  index::Repository::create({root});
  const auto repository = index::Repository::open_writer({root, "benchmark"});
  index::RepositoryWriter writer(*repository, {});
  snapshot::Catalog catalog(repository->storage());
  std::vector<snapshot::TreeEntry> files;
  uint64_t seed = 0;
  while (files.size() < size.shards) files.push_back(store_file(writer, ++seed));
  for (size_t number = 0; number < size.snapshots; ++number) {
    for (size_t i = 0; i < size.changed; ++i)
      files[(number * size.changed + i) % size.shards] = store_file(writer, ++seed);
    snapshot::Manifest manifest;
    manifest.time.unix_ns = static_cast<int64_t>(number) * 3600 * 1'000'000'000;
    manifest.server = "server";
    snapshot::SnapshotBuilder builder(*repository, writer, catalog, manifest);
    for (size_t shard = 0; shard < size.shards; ++shard)
      builder.add_shard({"telegraf", "autogen", shard + 1}, {files[shard]}, 0);
    builder.add_meta_file("meta.db", {});
    builder.publish();
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 5) {
    std::cerr << "usage: tsmfs_many_snapshots REPOSITORY SNAPSHOTS SHARDS CHANGED\n";
    return 2;
  }
  const auto number = [&](int i) {
    return static_cast<size_t>(std::strtoull(argv[i], nullptr, 10));
  };
  make(argv[1], {number(2), number(3), number(4)});
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
