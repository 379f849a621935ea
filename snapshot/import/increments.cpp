#include "snapshot/import/increments.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/quote.h"
#include "index/base/some_of.h"
#include "snapshot/influxdb/data_name.h"
#include "snapshot/intake/overlay.h"

namespace tsmfs::snapshot {

namespace {

using Severity = Problem::Severity;

constexpr int64_t kTarTimeGrainNs = 2'000'000'000;  // influxd rounds the times of both to a second
constexpr size_t kNamesShown = 3;

const TreeEntry* find(const std::vector<TreeEntry>& files, const std::string& name) {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const TreeEntry& entry) { return entry.name == name; });
  return found == files.end() ? nullptr : &*found;
}

// A TSM file never changes under its name. One that did was cut by -start and -end, or is another
// server's.
std::vector<std::string> changed_files(const std::vector<TreeEntry>& earlier,
                                       const std::vector<TreeEntry>& received) {
  std::vector<std::string> changed;
  for (const TreeEntry& entry : received) {
    const TreeEntry* old = find(earlier, entry.name);
    if (old != nullptr && old->id != entry.id && parse_tsm_name(entry.name))
      changed.push_back(entry.name);
  }
  return changed;
}

// An archive that reaches back to the oldest file of its shard is no increment, and holds what a
// damaged one before it lacked.
bool reaches_back(const std::vector<TreeEntry>& earlier, const std::vector<TreeEntry>& received) {
  const auto first = oldest_of(earlier), first_received = oldest_of(received);
  return first && first_received && *first_received <= *first;
}

}  // namespace

std::optional<Timestamp> oldest_of(const std::vector<TreeEntry>& files) {
  if (files.empty()) return std::nullopt;
  return std::min_element(files.begin(), files.end(),
                          [](const TreeEntry& a, const TreeEntry& b) { return a.mtime < b.mtime; })
      ->mtime;
}

std::vector<std::string> gone_files(const std::vector<TreeEntry>& earlier,
                                    const std::vector<TreeEntry>& received) {
  std::vector<std::string> gone;
  const auto first = oldest_of(received);
  if (!first) return gone;
  const std::string& last_name =
      std::max_element(received.begin(), received.end(),
                       [](const TreeEntry& a, const TreeEntry& b) { return a.name < b.name; })
          ->name;
  for (const TreeEntry& old : earlier)
    if (find(received, old.name) == nullptr && old.name < last_name &&
        shifted(old.mtime, -kTarTimeGrainNs) > *first)
      gone.push_back(old.name);
  return gone;
}

std::vector<std::string> lacking_files(index::ObjectReader& objects,
                                       const std::vector<TreeEntry>& earlier,
                                       const std::vector<TreeEntry>& received,
                                       std::optional<Timestamp> oldest) {
  std::vector<std::string> lacking;
  if (earlier.empty()) return lacking;
  const Overlay overlay = lay_over(objects, earlier, received);
  for (const TreeEntry& file : overlay.files) {
    const bool late = oldest && shifted(file.mtime, -kTarTimeGrainNs) > *oldest;
    const auto& doubtful = overlay.unexplained;
    if (parse_tsm_name(file.name) && find(received, file.name) == nullptr && !late &&
        std::find(doubtful.begin(), doubtful.end(), file.name.text()) == doubtful.end())
      lacking.push_back(file.name.text());
  }
  return lacking;
}

void add_archive(index::ObjectReader& objects, const ShardPath& path,
                 const std::vector<TreeEntry>& received, const std::string& damage,
                 ShardState& state, std::vector<Problem>& problems) {
  const auto changed = changed_files(state.files, received);
  if (!changed.empty())
    problems.push_back(
        {Severity::kWarning, path.text(),
         fmt::format("{} differ from the files of these names in an earlier run: this archive may "
                     "hold a time range only (-start, -end), or be of another server",
                     some_of(changed, kNamesShown))});
  if (damage.empty() && reaches_back(state.files, received)) state.damage.clear();
  std::vector<TreeEntry> earlier = std::move(state.files);
  if (damage.empty() && changed.empty()) {
    const auto gone = gone_files(earlier, received);
    std::erase_if(earlier, [&](const TreeEntry& entry) {
      return std::find(gone.begin(), gone.end(), entry.name) != gone.end();
    });
  }
  Overlay overlay = lay_over(objects, earlier, received);
  if (!overlay.unexplained.empty())
    problems.push_back(
        {Severity::kWarning, path.text(),
         fmt::format("{} of an earlier run were kept: a later file may have taken their place, and "
                     "points deleted since may come back",
                     some_of(overlay.unexplained, kNamesShown))});
  state.files = std::move(overlay.files);
  if (!damage.empty()) state.damage = damage;
}

}  // namespace tsmfs::snapshot
