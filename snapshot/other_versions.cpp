#include "snapshot/other_versions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "index/base/directory.h"
#include "index/base/some_of.h"
#include "snapshot/deleted_series.h"
#include "snapshot/tombstone.h"

namespace tsmfs::snapshot {

namespace {

namespace stdfs = std::filesystem;

constexpr const char* kOldDialect = "1.2-1.4";  // in a manifest's dialect
constexpr const char* kSeriesDirectory = "_series";
constexpr size_t kFilesShownMax = 5;
constexpr unsigned kVersionOf15 = 4;

// Only a server of 1.5 or later makes a series file.
bool has_series_file(const stdfs::path& datadir) {
  if (!directory_exists(datadir)) return false;
  return std::ranges::any_of(list_directory(datadir), [&](const std::string& database) {
    return directory_exists(datadir / database / kSeriesDirectory);
  });
}

}  // namespace

VersionTraps find_version_traps(index::ObjectReader& objects,
                                const std::vector<RestoreShard>& shards, const stdfs::path& datadir,
                                const std::string& dialect) {
  const bool from_old = dialect.find(kOldDialect) != std::string::npos;
  std::vector<std::string> newer, ranges;
  for (const RestoreShard& shard : shards)
    for (const TreeEntry& file : shard.files) {
      if (!file.name.ends_with(".tombstone")) continue;
      const StoredTombstone stored = read_stored_tombstone(objects, file);
      const std::string name = fmt::format("{}/{}", shard.to.text(), file.name);
      if (stored.tombstone.version == kVersionOf15) newer.push_back(name);
      if (from_old && stored.tombstone.version < kVersionOf15 && stored.tombstone.time_ranges)
        ranges.push_back(name);
    }
  VersionTraps traps;
  if (!newer.empty() && (from_old || !has_series_file(datadir))) {
    const std::string what =
        some_of(newer, kFilesShownMax) + (newer.size() == 1 ? " was" : " were") +
        " written by influxd 1.5 or later: an older one cannot read " +
        (newer.size() == 1 ? "it" : "them") + ", and deleted points come back there";
    if (from_old) {
      traps.warnings.push_back(what);
    } else {
      traps.notes.push_back(what + "; which version will run here cannot be known");
    }
  }
  if (!ranges.empty())
    traps.warnings.push_back(
        some_of(ranges, kFilesShownMax) +
        (ranges.size() == 1
             ? " deletes a time range as influxd 1.2 and 1.3 write it: later ones "
             : " delete time ranges as influxd 1.2 and 1.3 write them: later ones ") +
        "misread that, and deleted points come back there");
  return traps;
}

bool is_enterprise_node(const stdfs::path& metadir, const stdfs::path& datadir) {
  // What a data node keeps of its meta nodes, and writes that wait for other data nodes.
  if (!metadir.empty() && path_exists(metadir / "client.json")) return true;
  if (datadir.empty()) return false;
  const stdfs::path beside = absolute_path(datadir / "").lexically_normal().parent_path();
  return directory_exists(beside.parent_path() / "hh");
}

}  // namespace tsmfs::snapshot
