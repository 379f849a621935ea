#include "snapshot/intake/overlay.h"

#include <algorithm>
#include <map>

#include "index/repository/stored_source.h"
#include "index/tsm/tsm_cover.h"
#include "snapshot/influxdb/data_name.h"

namespace tsmfs::snapshot {

namespace {

enum class Fate { kKept, kSuperseded, kUnexplained };

// A file that was there before and was not received again: either it has not changed, or a
// compaction took its place.
Fate fate_of(index::ObjectReader& objects, const TreeEntry& old,
             const std::vector<TreeEntry>& received) {
  const auto name = parse_tsm_name(old.name);
  if (!name) return Fate::kKept;
  // Under another name: a merge of a restore gave it one (restore --merge).
  if (std::ranges::find(received, old.id, &TreeEntry::id) != received.end())
    return Fate::kSuperseded;
  bool suspect = false;
  for (const TreeEntry& newer : received) {
    const auto newer_name = parse_tsm_name(newer.name);
    // Only a compaction's output (sequence 2 and up) of the same or a later generation takes
    // another file's place.
    if (!newer_name || newer_name->sequence < 2 || newer_name->generation < name->generation)
      continue;
    index::StoredSource newer_source(objects.open_file(newer.file())),
        old_source(objects.open_file(old.file()));
    const index::Cover cover = index::cover_tsm(newer_source, old_source);
    if (cover == index::Cover::kAll) return Fate::kSuperseded;
    // One generation has one file at a time; and points of one time are in two files only when one
    // was made of the other, or they were written twice.
    suspect |= cover == index::Cover::kSome || newer_name->generation == name->generation;
  }
  return suspect ? Fate::kUnexplained : Fate::kKept;
}

}  // namespace

Overlay lay_over(index::ObjectReader& objects, const std::vector<TreeEntry>& earlier,
                 const std::vector<TreeEntry>& received) {
  Overlay result;
  std::map<Name, TreeEntry, std::less<>> files;
  for (const TreeEntry& entry : received) files.emplace(entry.name, entry);
  for (const TreeEntry& old : earlier) {
    if (old.kind != EntryKind::kFile || files.contains(old.name)) continue;
    const Fate fate = fate_of(objects, old, received);
    if (fate == Fate::kSuperseded) {
      result.superseded.push_back(old.name.text());
      continue;
    }
    if (fate == Fate::kUnexplained) result.unexplained.push_back(old.name.text());
    files.emplace(old.name, old);
    result.carried_over.push_back(old);
  }
  for (const std::string& name : result.superseded) {
    const std::string tombstone =
        name.substr(0, name.size() - kTsmEnding.size()) + std::string(kTombstoneEnding);
    std::erase_if(result.carried_over,
                  [&](const TreeEntry& file) { return file.name == tombstone; });
    if (const auto found = files.find(std::string_view(tombstone)); found != files.end())
      files.erase(found);
  }
  for (auto& [name, entry] : files) result.files.push_back(std::move(entry));
  return result;
}

}  // namespace tsmfs::snapshot
