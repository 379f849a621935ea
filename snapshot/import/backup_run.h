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
#include "snapshot/influxdb/metastore.h"
#include "snapshot/influxdb/metastore_answer.h"
#include "snapshot/model/manifest.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/stream/byte_stream.h"
#include "snapshot/stream/tar_reader.h"

namespace tsmfs::snapshot {

// One shard's tar of one run.
struct ShardArchive {
  std::filesystem::path file;
  uint64_t shard = 0;
  // Portable: as the manifest says, if it does. Legacy: empty, for a file's name does not say where
  // the name of the database ends. See resolve_path().
  std::optional<ShardPath> path;
  std::string names;                  // legacy: "db.rp", or "." for one of influxd backup -shard
  unsigned number = 0;                // legacy: NN
  Timestamp mtime;                    // legacy
  bool gzipped = false;               // portable: the file is a tar, gzipped
  std::optional<uint64_t> tar_bytes;  // portable, by the manifest: how long the tar is
};

struct BackupRun {
  enum class Form { kLegacy, kPortable };
  Form form = Form::kLegacy;
  std::string name;                 // "meta.00", "20160201T180236Z.manifest"
  Timestamp time;                   // when the run began
  std::filesystem::path metastore;  // empty when there is none, which is a problem of the run
  std::optional<uint64_t> metastore_bytes;  // portable
  std::vector<ShardArchive> archives;       // in the order in which they were made
  bool limited = false;                     // portable, as the manifest says
  bool listed = true;                       // false when nothing says which archives belong to it
  std::vector<Problem> problems;
};

// A run's metastore; node_json is empty in a portable one. Throws: ProtocolError when it is not
// whole.
MetastoreAnswer read_run_metastore(const BackupRun& run);

// The archive's tar. Throws: ProtocolError, here and while it is read, also for a tar that is not
// as long as it should be.
std::unique_ptr<ByteStream> open_archive(const ShardArchive& archive, std::stop_token stop);

// Where an archive belongs: by the paths inside it, whatever its name and the manifest say; for one
// without members by the manifest, by the metastore (which may be null) or by the file's name.
// Nothing for an archive without members that none of them knows. Throws: ProtocolError when it is
// no tar of a shard.
std::optional<ShardPath> resolve_path(const ShardArchive& archive, const Metastore* metastore);
// Whether the archive's name, or the manifest, says the same.
bool fits(const ShardArchive& archive, const ShardPath& path);

// The archive that a file of any other name is, as influxd garbles the names of a database with
// '%'; nothing when it is none. Throws: ProtocolError when it cannot be read.
std::optional<ShardArchive> look_into(const std::filesystem::path& file, Timestamp mtime);

}  // namespace tsmfs::snapshot
