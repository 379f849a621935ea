#include "snapshot/restore/other_versions.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/directory.h"
#include "index/base/some_of.h"
#include "index/repository/stored_source.h"
#include "index/tsm/tsm_summary.h"
#include "snapshot/influxdb/deleted_series.h"
#include "snapshot/influxdb/tombstone.h"
#include "snapshot/restore/shards_on_disk.h"

namespace tsmfs::snapshot {

namespace {

namespace stdfs = std::filesystem;

constexpr const char* kOldDialect = "1.2-1.4";  // in a manifest's dialect
constexpr const char* kNewDialect = "1.5+";     // likewise; in that of an import there is neither
constexpr const char* kSeriesDirectory = "_series";
constexpr size_t kFilesShownMax = 5;
constexpr unsigned kVersionOf15 = 4;
constexpr const char* kUnknownVersion = "which version will run here cannot be known";

// Only a server of 1.5 or later makes a series file.
bool has_series_file(const stdfs::path& datadir) {
  if (!directory_exists(datadir)) return false;
  return std::ranges::any_of(list_directory(datadir), [&](const std::string& database) {
    return directory_exists(datadir / database / kSeriesDirectory);
  });
}

bool holds_unsigned(index::ObjectReader& objects, const TreeEntry& file) {
  index::StoredSource source(objects.open_file(file.file()));
  const auto summary = index::summarize_tsm(source);
  return summary && summary->has_unsigned;
}

class TrapFinder {
 public:
  TrapFinder(index::ObjectReader& objects, const std::string& dialect, bool target_is_new)
      : objects_(objects),
        from_old_(dialect.find(kOldDialect) != std::string::npos),
        from_new_(dialect.find(kNewDialect) != std::string::npos),
        target_is_new_(target_is_new) {}

  void look_at(const RestoreShard& shard) {
    for (const TreeEntry& file : shard.files) {
      const std::string name = fmt::format("{}/{}", shard.to.text(), file.name);
      if (file.name.ends_with(".tombstone")) look_at_tombstone(file, name);
      if (file.name.ends_with(".tsm") && !target_is_new_ && holds_unsigned(objects_, file))
        unsigned_.push_back(name);
    }
  }

  VersionTraps traps() const {
    VersionTraps found;
    if (!newer_.empty() && (from_old_ || !target_is_new_))
      (from_old_ ? found.warnings : found.notes).push_back(about_newer());
    if (!ranges_.empty()) (from_old_ ? found.warnings : found.notes).push_back(about_ranges());
    if (!unsigned_.empty())
      found.notes.push_back(
          some_of(unsigned_, kFilesShownMax) + (unsigned_.size() == 1 ? " holds" : " hold") +
          " unsigned integers: influxd 1.2 and 1.3 refuse all data there; " + kUnknownVersion);
    return found;
  }

 private:
  void look_at_tombstone(const TreeEntry& file, const std::string& name) {
    const Tombstone tombstone = read_stored_tombstone(objects_, file).tombstone;
    if (tombstone.version == kVersionOf15) newer_.push_back(name);
    if (!from_new_ && tombstone.version < kVersionOf15 && tombstone.time_ranges)
      ranges_.push_back(name);
  }

  std::string about_ranges() const {
    return some_of(ranges_, kFilesShownMax) +
           (ranges_.size() == 1
                ? " deletes a time range as influxd 1.2 and 1.3 write it: later ones "
                : " delete time ranges as influxd 1.2 and 1.3 write them: later ones ") +
           "misread that, and deleted points come back there" +
           (from_old_ ? "" : "; which version wrote it cannot be known");
  }

  std::string about_newer() const {
    const bool one = newer_.size() == 1;
    return fmt::format(
        "{} {} written by influxd 1.5 or later: an older one cannot read {}, and deleted points "
        "come back there{}{}",
        some_of(newer_, kFilesShownMax), one ? "was" : "were", one ? "it" : "them",
        from_old_ ? "" : "; ", from_old_ ? "" : kUnknownVersion);
  }

  index::ObjectReader& objects_;
  bool from_old_, from_new_;
  bool target_is_new_;
  std::vector<std::string> newer_, ranges_, unsigned_;
};

}  // namespace

VersionTraps find_version_traps(index::ObjectReader& objects,
                                const std::vector<RestoreShard>& shards, const stdfs::path& datadir,
                                const std::string& dialect) {
  TrapFinder finder(objects, dialect, has_series_file(datadir));
  for (const RestoreShard& shard : shards) finder.look_at(shard);
  return finder.traps();
}

bool is_enterprise_node(const stdfs::path& metadir, const stdfs::path& datadir) {
  // What a data node keeps of its meta nodes, and writes that wait for other data nodes.
  if (!metadir.empty() && path_exists(metadir / "client.json")) return true;
  if (datadir.empty()) return false;
  return directory_exists(beside_data(datadir, "hh"));
}

}  // namespace tsmfs::snapshot
