#include "snapshot/influxdb/deleted_series.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "index/base/some_of.h"
#include "snapshot/stream/stored_stream.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kSeriesMax = 3;
constexpr size_t kShardsShownMax = 10;

void add_tombstone(index::ObjectReader& objects, const TreeEntry& file, DeletedPoints& found) {
  const StoredTombstone stored = read_stored_tombstone(objects, file);
  const Tombstone& tombstone = stored.tombstone;
  if (!stored.unreadable.empty()) {
    found.unreadable = stored.unreadable;
    return;
  }
  found.more_series |= tombstone.more_series;
  for (const std::string& series : tombstone.series) {
    if (found.series.size() == kSeriesMax && !found.series.contains(series)) {
      found.more_series = true;
      break;
    }
    found.series.insert(series);
  }
}

}  // namespace

StoredTombstone read_stored_tombstone(index::ObjectReader& objects, const TreeEntry& file) {
  StoredStream stream(objects.open_file(file.file()));
  try {
    return {read_tombstone(stream, quote(file.name), {kSeriesMax}), {}};
  } catch (const TombstoneError& error) {
    return {{}, error.what()};
  }
}

std::vector<DeletedPoints> find_deleted_points(index::ObjectReader& objects,
                                               const std::vector<StoredShard>& shards) {
  std::vector<DeletedPoints> all;
  for (const StoredShard& shard : shards) {
    DeletedPoints found{shard.path, {}, false, {}};
    for (const TreeEntry& file : shard.files)
      if (file.name.ends_with(".tombstone")) add_tombstone(objects, file, found);
    if (!found.series.empty() || found.more_series || !found.unreadable.empty())
      all.push_back(std::move(found));
  }
  return all;
}

std::string allow_resurrection(const std::vector<DeletedPoints>& deleted, bool wanted,
                               const std::string& who, const std::string& instead) {
  if (deleted.empty()) return {};
  std::string list;
  for (size_t i = 0; i < std::min(deleted.size(), kShardsShownMax); ++i)
    list += "\n    " + describe(deleted[i]);
  if (deleted.size() > kShardsShownMax)
    list += "\n    " + and_more(deleted.size() - kShardsShownMax, "shards");
  if (wanted) return "points that had been deleted come back in:" + list;
  throw UsageError(
      fmt::format("{} drops tombstones: points that had been deleted would come back in:{}", who,
                  list),
      instead + ", or accept it with --resurrect-deleted and delete them again");
}

std::string describe(const DeletedPoints& deleted) {
  std::vector<std::string> names;
  for (const std::string& series : deleted.series) names.push_back(quote(series));
  std::string text = fmt::format("{}: {}", deleted.path.text(), fmt::join(names, ", "));
  if (deleted.more_series) text += names.empty() ? "many series" : " and more";
  if (!deleted.unreadable.empty()) text += (names.empty() ? "" : "; ") + deleted.unreadable;
  return text;
}

}  // namespace tsmfs::snapshot
