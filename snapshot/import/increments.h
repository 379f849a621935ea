// The archives of one shard, as run after run of influxd backup left them in one directory: what
// the shard held at each run.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "index/base/timestamp.h"
#include "index/repository/object_reader.h"
#include "snapshot/model/manifest.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"

namespace tsmfs::snapshot {

// What is known of a shard up to a run.
struct ShardState {
  std::vector<TreeEntry> files;
  // Says which archive was damaged, while nothing shows that a later one holds all that it lacked.
  std::string damage;
};

// Lays an archive's files over those of the earlier ones, and says in `problems` what cannot be
// shown. `damage` is empty for a whole archive. Requires: all files are flushed. Throws:
// CorruptError, IoError when stored files cannot be read.
void add_archive(index::ObjectReader& objects, const ShardPath& path,
                 const std::vector<TreeEntry>& received, const std::string& damage,
                 ShardState& state, std::vector<Problem>& problems);

// The names of those of `earlier` that the server no longer had: influxd sends, in order of their
// names, all files that are later than the time asked for. So a name that is missing between two
// that came, though it is later than one of them, was not there. Requires: `received` came whole.
std::vector<std::string> gone_files(const std::vector<TreeEntry>& earlier,
                                    const std::vector<TreeEntry>& received);

// The names of those of `earlier` that the server still had, and that an archive of a later run
// lacks: the run was made with -since, -start or -end, whatever its manifest says. What that
// archive supersedes is none of them, nor is what may have been deleted: what is later than
// `oldest`, the oldest file of the whole run, would have been sent. Requires: all files are
// flushed; `received` came whole. Throws: CorruptError, IoError when stored files cannot be read.
std::vector<std::string> lacking_files(index::ObjectReader& objects,
                                       const std::vector<TreeEntry>& earlier,
                                       const std::vector<TreeEntry>& received,
                                       std::optional<Timestamp> oldest);

// Of the oldest file; nothing for none.
std::optional<Timestamp> oldest_of(const std::vector<TreeEntry>& files);

}  // namespace tsmfs::snapshot
