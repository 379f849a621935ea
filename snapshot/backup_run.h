// One run of influxd backup, as it lies in a directory: its metastore and its archives.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "index/base/timestamp.h"
#include "snapshot/byte_stream.h"
#include "snapshot/manifest.h"
#include "snapshot/metastore.h"
#include "snapshot/metastore_answer.h"
#include "snapshot/shard_path.h"

namespace tsmfs::snapshot {

// One shard's tar of one run.
struct ShardArchive {
  std::filesystem::path file;
  uint64_t shard = 0;
  // Portable: as the manifest says. Legacy: empty, for a file's name does not say where the name of
  // the database ends; see resolve_path().
  std::optional<ShardPath> path;
  std::string names;    // legacy: "db.rp", or "." for one of influxd backup -shard
  unsigned number = 0;  // legacy: NN
  Timestamp mtime;      // legacy
  std::optional<uint64_t>
      tar_bytes;  // portable: how long the tar is; the file is that tar, gzipped
};

struct BackupRun {
  enum class Form { kLegacy, kPortable };
  Form form = Form::kLegacy;
  std::string name;  // "meta.00", "20160201T180236Z.manifest"
  Timestamp time;    // when the run began
  std::filesystem::path metastore;
  std::optional<uint64_t> metastore_bytes;  // portable
  std::vector<ShardArchive> archives;       // in the order in which they were made
  bool limited = false;                     // portable, as the manifest says
  std::vector<Problem> problems;
};

// A run's metastore; node_json is empty in a portable one. Throws: ProtocolError when it is not
// whole.
MetastoreAnswer read_run_metastore(const BackupRun& run);

// The archive's tar. Throws: ProtocolError, here and while it is read, also for a tar that is not
// as long as it should be.
std::unique_ptr<ByteStream> open_archive(const ShardArchive& archive, std::stop_token stop);

// Where an archive belongs, by the paths inside it; for one without members by the metastore
// (which may be null) and the file's name. Nothing for an archive without members that neither
// knows. Throws: ProtocolError when the paths inside, or the first bytes, do not fit the name.
std::optional<ShardPath> resolve_path(const ShardArchive& archive, const Metastore* metastore);

}  // namespace tsmfs::snapshot
