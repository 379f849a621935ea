// A snapshot of a server, made by hand for a restore.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "snapshot/intake/snapshot_builder.h"
#include "snapshot/model/catalog.h"
#include "tests/support/protobuf.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::snapshot {

// A metastore with one database of one policy, "autogen"; shard N has the Nth hour.
inline std::string hourly_metastore(const std::string& database,
                                    const std::vector<uint64_t>& shards) {
  using support::protobuf::bytes, support::protobuf::number;
  std::string groups;
  for (const uint64_t id : shards)
    groups += bytes(5, number(1, id) + number(2, id * 3600) + number(3, id * 3600 + 3600) +
                           bytes(5, number(1, id)));
  return number(1, 0) + number(2, 3) + number(3, 4) +
         bytes(5, bytes(1, database) + bytes(2, "autogen") +
                      bytes(3, bytes(1, "autogen") + number(2, 0) + groups)) +
         number(8, 20) + number(9, 20);
}

// {name: content} of a shard's files.
using ShardContents = std::map<std::string, std::string>;

// Publishes a snapshot of these shards, after `change`.
inline SnapshotPtr publish_shards(
    index::Repository& repository, const std::map<ShardPath, ShardContents>& shards,
    const std::string& meta_db,
    const std::function<void(SnapshotBuilder&)>& change = [](SnapshotBuilder&) {}) {
  index::RepositoryWriter writer(repository, {});
  Catalog catalog(repository.storage());
  SnapshotBuilder builder(repository, writer, catalog,
                          begin_manifest({now(), "db1", "", "influxd 1.5+"}, nullptr));
  for (const auto& [path, files] : shards) {
    std::vector<TreeEntry> entries;
    for (const auto& [name, content] : files) {
      const auto stored = test::put(writer, as_bytes(content), index::FileKind::kTsm);
      entries.push_back({*Name::parse(name),
                         EntryKind::kFile,
                         0644,
                         {1'454'349'756'000'000'007},
                         stored.size,
                         0,
                         stored.id});
    }
    builder.add_shard(path, std::move(entries), 0);
  }
  builder.add_meta_file("meta.db", as_bytes(meta_db));
  change(builder);
  return builder.publish();
}

}  // namespace tsmfs::snapshot
