// What influxd backup -portable leaves in a directory: a run is a YYYYMMDDTHHMMSSZ.manifest and the
// files that it names. One that was killed leaves no manifest, and no manifest names what is left
// of others: whole archives are data all the same.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/timestamp.h"
#include "snapshot/import/backup_run.h"

namespace tsmfs::snapshot {

class PortableFiles {
 public:
  explicit PortableFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}
  // False for a name that is of no portable run.
  bool take(const std::string& name);
  struct Found {
    std::vector<BackupRun> runs;       // by time
    std::vector<std::string> damaged;  // runs of which nothing can be told; one message each
  };
  // Reads the manifests. Throws: IoError.
  Found runs() const;

 private:
  struct Stamped {
    Timestamp time;
    bool manifest = false, meta = false;
    std::map<std::string, uint64_t> archives;  // the shard of each, by the file's name
  };
  BackupRun read_run(const std::string& stamp, const Stamped& files) const;
  BackupRun unlisted_run(const std::string& stamp, const Stamped& files, std::string why) const;
  ShardArchive archive_of(const std::string& name, uint64_t shard) const;

  std::filesystem::path directory_;
  std::map<std::string, Stamped> stamps_;
};

// "20160201T180236Z"
std::optional<Timestamp> parse_portable_stamp(std::string_view stamp);

}  // namespace tsmfs::snapshot
