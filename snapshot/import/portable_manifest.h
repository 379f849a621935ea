// The manifest that influxd backup -portable leaves: which files belong to one run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/name.h"
#include "snapshot/model/shard_path.h"

namespace tsmfs::snapshot {

constexpr uint64_t kPortableManifestBytesMax = uint64_t{16} << 20;

struct PortableFile {
  uint64_t shard = 0;
  std::optional<ShardPath> path;  // none in a run of influxd backup -shard
  Name file;
  uint64_t tar_bytes = 0;  // of the tar, before gzip
};

struct PortableManifest {
  Name meta_file;
  uint64_t metastore_bytes = 0;  // of the metastore in it
  bool limited = false;          // less than the whole server was asked for (1.6.7 never says so)
  std::vector<PortableFile> files;
};

// Throws: ProtocolError, naming `label`, for JSON of any other form, a name that is not bare, and a
// shard or a file that comes twice. Fields that are not named here are skipped.
PortableManifest parse_portable_manifest(std::string_view json, const std::string& label);

}  // namespace tsmfs::snapshot
