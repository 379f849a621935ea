#include "snapshot/model/wholeness.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "index/base/quote.h"
#include "index/base/some_of.h"
#include "snapshot/model/shard_path.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kPhrasesShown = 3;

// The first part of a problem's path, up to `count` slashes taken away.
std::string_view part(std::string_view path, size_t index) {
  for (; index > 0; --index) {
    const size_t slash = path.find('/');
    if (slash == std::string_view::npos) return {};
    path.remove_prefix(slash + 1);
  }
  return path.substr(0, path.find('/'));
}

// Whether a problem of that path ("db", "db/rp/7", "db/rp/7/file", or empty) is about what is
// asked.
bool concerns(const std::string& path, const Filter& asked) {
  const std::string_view database = part(path, 0), policy = part(path, 1), shard = part(path, 2);
  if (!database.empty() && !asked.takes_database(database)) return false;
  if (!policy.empty() && !asked.policy.empty() && policy != asked.policy) return false;
  return shard.empty() || !asked.shard || shard == std::to_string(*asked.shard);
}

bool is_lack(const Problem& problem, const Filter& asked) {
  return problem.severity == Problem::Severity::kIncomplete && concerns(problem.path, asked);
}

// What the selection leaves out of what is asked.
void add_selection(const Manifest& snapshot, const Filter& asked,
                   std::vector<std::string>& phrases) {
  const Filter& had = snapshot.filter;
  bool narrower = had.range.has_value();
  narrower |= !had.policy.empty() && had.policy != asked.policy;
  narrower |= had.shard && had.shard != asked.shard;
  narrower |= asked.databases.empty() && !asked.shard && !had.databases.empty();
  for (const std::string& name : asked.databases)
    if (!std::ranges::count(snapshot.databases, name))
      phrases.push_back("has no database " + quote(name));
    else
      narrower |= !had.takes_database(name);
  if (had.metastore_only || narrower) phrases.push_back("holds " + had.only_text());
}

}  // namespace

std::vector<std::string> lacks(const Manifest& snapshot, const Filter& asked) {
  std::vector<std::string> phrases;
  add_selection(snapshot, asked, phrases);
  if (snapshot.partial && phrases.empty()) phrases.emplace_back("is partial");
  std::set<std::string> paths;
  for (const Problem& problem : snapshot.problems)
    if (is_lack(problem, asked) && paths.insert(problem.path).second)
      phrases.push_back(problem.path.empty() ? "is incomplete: " + problem.what
                                             : "lacks " + problem.path);
  if (asked.shard && snapshot.extent)
    for (const MissingShard& missing : snapshot.extent->missing)
      if (missing.accepted && asked.takes(missing.path))
        phrases.push_back("lacks " + missing.path.text());
  return phrases;
}

bool misses(const Manifest& snapshot, const Filter& asked) {
  return std::ranges::any_of(snapshot.problems,
                             [&](const Problem& problem) { return is_lack(problem, asked); });
}

std::string lacks_text(const Manifest& snapshot, const Filter& asked) {
  return some_of(lacks(snapshot, asked), kPhrasesShown);
}

bool is_whole(const Manifest& snapshot) {
  return !snapshot.partial && !snapshot.incomplete();
}

int rank_of(const Manifest& snapshot) {
  if (snapshot.filter.metastore_only) return 0;
  if (!is_whole(snapshot) || snapshot.filter.shard) return 1;
  return snapshot.filter.is_everything() ? kRankMax : 2;
}

std::vector<LastWhole> last_whole_among(const CatalogState& state,
                                        const std::vector<SnapshotPtr>& going) {
  std::set<index::SnapshotId> gone;
  for (const SnapshotPtr& snapshot : going) gone.insert(snapshot->id);
  std::map<std::string, std::vector<SnapshotPtr>> servers;  // newest first
  for (auto it = state.snapshots.rbegin(); it != state.snapshots.rend(); ++it)
    servers[(*it)->server].push_back(*it);
  std::vector<LastWhole> found;
  for (const auto& [server, snapshots] : servers) {
    const auto newest = std::ranges::find_if(
        snapshots, [](const SnapshotPtr& snapshot) { return !snapshot->databases.empty(); });
    if (newest == snapshots.end()) continue;
    for (const std::string& database : (*newest)->databases) {
      Filter asked;
      asked.databases = {database};
      SnapshotPtr last, left;
      for (const SnapshotPtr& snapshot : snapshots) {
        if (!lacks(*snapshot, asked).empty()) continue;
        if (!last) last = snapshot;
        if (gone.contains(snapshot->id)) continue;
        left = snapshot;
        break;
      }
      if (last && !left) found.push_back({last, database});
    }
  }
  return found;
}

}  // namespace tsmfs::snapshot
