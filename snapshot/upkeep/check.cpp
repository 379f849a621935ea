#include "snapshot/upkeep/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/cut/file_cutter.h"
#include "index/format/object_keys.h"
#include "index/format/recipe_needs.h"
#include "index/repository/stored_source.h"
#include "snapshot/influxdb/unopenable.h"
#include "snapshot/model/tree_walk.h"

namespace tsmfs::snapshot {

namespace {

// A directory's path, which ends with "/" or, for a whole snapshot, ": ".
std::string_view without_end(std::string_view path) {
  return path.substr(0, path.size() - (path.ends_with(": ") ? 2 : 1));
}

// What could not be read for another reason says nothing of the repository: it ends the check.
// Requires: called where `error` is caught.
void require_damage(const IoError& error) {
  if (!is_damage(error.error_number())) throw;
}

// What a snapshot's manifest says of its trees.
struct Counts {
  TreeTotals totals;
  // Entries so many levels below a directory: below a snapshot's, databases, retention policies,
  // shards and files.
  std::array<uint64_t, 4> at_level{};
};

class Check {
 public:
  Check(index::Repository& repository, Catalog& catalog, const CheckOptions& options,
        std::stop_token stop)
      : repository_(repository), catalog_(catalog), options_(options), stop_(std::move(stop)) {}

  // What was found is told, also when something ends the check.
  CheckReport run() {
    try {
      check_all();
    } catch (...) {
      report_found();
      throw;
    }
    return report_;
  }

 private:
  void check_all() {
    check_packs();
    check_lookup();
    report_found();
    const auto state = catalog_.refresh();
    for (const auto* messages : {&state->damaged, &state->doubts})
      for (const std::string& message : *messages) damage(message);
    for (const SnapshotPtr& snapshot : state->snapshots) {
      check_snapshot(*snapshot);
      // One that was forgotten meanwhile may lose anything.
      if (!repository_.storage().has(index::snapshot_key(snapshot->id))) found_.clear();
      report_found();
    }
    check_numbers(*state);
    check_entries();
    report_found();
    report_.packs = packs_.size();
    report_.snapshots = state->snapshots.size();
  }

  void check_packs() {
    repository_.packs().for_each_id([&](const index::PackId& id) {
      if (stop_.stop_requested()) throw Cancelled();
      packs_.push_back(id);
      const bool read = options_.read_data == index::ReadData::kYes ||
                        (options_.subset && options_.subset->takes(id));
      report_.packs_read += read ? 1 : 0;
      const auto what =
          index::verify_pack(repository_.packs(), id, repository_.key(),
                             read ? index::ReadData::kYes : index::ReadData::kNo, stop_);
      if (what && is_there(id)) damage(what->what);
    });
  }

  void check_lookup() {
    std::vector<index::PackNumber> gone;
    std::unordered_set<index::PackId, index::IdHash> indexed;
    repository_.lookup().for_each_pack(
        [&](index::PackNumber number, const index::PackRecord& record) {
          indexed.insert(record.id);
          if (!is_there(record.id)) gone.push_back(number);
        });
    if (!gone.empty()) repository_.lookup().catch_up();
    // A prune takes a pack out of the lookup before it deletes it.
    for (const index::PackNumber number : gone) {
      const auto record = repository_.lookup().find_pack(number);
      if (record && !is_there(record->id)) damage(fmt::format("pack {} is gone", record->id.hex()));
    }
    for (const index::PackId& id : packs_)
      if (!indexed.contains(id)) check_sequence(id);
  }

  // The next writer takes up a pack that the lookup lacks. That another one has its sequence is
  // named.
  void check_sequence(const index::PackId& id) {
    try {
      const uint64_t sequence = repository_.packs().open(id)->header().sequence;
      const auto other = repository_.lookup().find_pack(static_cast<index::PackNumber>(sequence));
      if (other && other->id != id)
        damage(
            fmt::format("packs {} and {} both have the sequence {}: two copies of the "
                        "repository were written to, then mixed; tsmfs copy into a new "
                        "repository takes what is sound",
                        id.hex(), other->id.hex(), sequence));
    } catch (const CorruptError&) {
      // It is named already.
    } catch (const IoError& error) {
      require_damage(error);  // as that is, unless a prune has just deleted it
    }
  }

  // Files that the lookup knows and no snapshot has: a backup of such a content stores nothing.
  void check_entries() {
    std::vector<index::FileId> others;
    repository_.lookup().for_each_file([&](const index::FileId& id, const index::FilePlace& place) {
      if (!place.lossy && !files_.contains(id)) others.push_back(id);
    });
    std::erase_if(others, [&](const index::FileId& id) { return has_its_packs(id); });
    if (others.empty()) return;
    // A prune that runs beside this check forgets entries before their packs go.
    repository_.lookup().catch_up();
    for (const index::FileId& id : others)
      if (repository_.lookup().find_file(id) && !has_its_packs(id))
        damage(fmt::format(
            "the index knows file {}, which is in no snapshot, without the packs that it needs: "
            "run tsmfs prune or tsmfs rebuild-index, so that the next backup of it stores it",
            id.hex()));
  }

  // False also when its recipe cannot be read.
  bool has_its_packs(const index::FileId& id) {
    if (stop_.stop_requested()) throw Cancelled();
    try {
      const auto recipe = repository_.objects().read_recipe(id);
      return std::ranges::all_of(index::packs_needed(*recipe),
                                 [&](const index::PackId& pack) { return is_there(pack); });
    } catch (const CorruptError&) {
      return false;
    } catch (const IoError& error) {
      require_damage(error);
      return false;
    }
  }

  bool is_there(const index::PackId& pack) const {
    return repository_.storage().has(index::pack_key(pack));
  }

  void check_snapshot(const Manifest& snapshot) {
    const std::string name =
        fmt::format("snapshot {} ({})", snapshot.short_id(), format_rfc3339(snapshot.time));
    if (const auto data = check_root(snapshot.data, snapshot.data_below, name + ": ")) {
      const auto compare = [&](const char* what, uint64_t counted, uint64_t told) {
        if (counted != told)
          damage(fmt::format("{}: its tree has {} {}, its manifest says {}", name, counted, what,
                             told));
      };
      compare("bytes of files", data->totals.size, snapshot.bytes);
      compare("shards", data->at_level[2], snapshot.shards);
      compare("files", data->at_level[3], snapshot.files);
    }
    check_root(snapshot.meta, snapshot.meta_below, name + ": meta: ");
    if (snapshot.wal) check_root(*snapshot.wal, snapshot.wal_below, name + ": wal: ");
  }

  // Nothing when the tree is not sound.
  std::optional<Counts> check_root(const index::TreeId& id, uint64_t below,
                                   const std::string& name) {
    Counts counts;
    if (!check_tree(id, name, 0, counts)) return std::nullopt;
    if (counts.totals.below != below)
      damage(fmt::format("{}its tree has {} entries, its manifest says {}", name,
                         counts.totals.below, below));
    return counts;
  }

  // Inode numbers are made of a snapshot's number.
  void check_numbers(const CatalogState& state) {
    std::unordered_map<uint32_t, SnapshotPtr> seen;
    for (const SnapshotPtr& snapshot : state.snapshots) {
      const auto [first, added] = seen.emplace(snapshot->number, snapshot);
      if (!added)
        damage(fmt::format("snapshots {} and {} both have the number {}", first->second->short_id(),
                           snapshot->short_id(), snapshot->number));
    }
  }

  // True when all below is sound. A sound node is looked at once, however many snapshots share it;
  // a damaged one is reported in each.
  bool check_tree(const index::TreeId& id, const std::string& path, uint32_t depth,
                  Counts& counts) {
    if (stop_.stop_requested()) throw Cancelled();
    if (const auto known = sound_trees_.find(id); known != sound_trees_.end()) {
      counts = known->second;
      return true;
    }
    try {
      if (depth > kTreeDepthMax) throw CorruptError("directories nest too deep");
      const Tree tree = read_tree(repository_.objects(), id);
      counts.totals = tree.totals();
      counts.at_level[0] = tree.entries().size();
      bool sound = true;
      for (const TreeEntry& entry : tree.entries())
        sound &= check_entry(entry, path, depth, counts);
      if (sound) sound_trees_.emplace(id, counts);
      return sound;
    } catch (const CorruptError& error) {
      damage(fmt::format("{}: {}", without_end(path), error.what()));
    } catch (const IoError& error) {
      require_damage(error);
      damage(fmt::format("{}: {}", without_end(path), error.what()));
    }
    return false;
  }

  // Adds what is below the entry to `counts`, those of its directory.
  bool check_entry(const TreeEntry& entry, const std::string& path, uint32_t depth,
                   Counts& counts) {
    const std::string name = path + entry.name.text();
    if (entry.kind == EntryKind::kDirectory) {
      Counts below;
      if (!check_tree(entry.directory(), name + "/", depth + 1, below)) return false;
      for (size_t level = 1; level < counts.at_level.size(); ++level)
        counts.at_level[level] += below.at_level[level - 1];
      if (below.totals.size == entry.size && below.totals.below == entry.below) return true;
      damage(fmt::format("{}: the directory is not as large as its entry says", name));
      return false;
    }
    auto [known, fresh] = files_.try_emplace(entry.file());
    if (fresh) known->second = check_file(entry);
    const auto refused = options_.tsm ? why_name_refused(entry.name, entry.size) : std::nullopt;
    if (refused) damage(fmt::format("{} {}", name, *refused));
    if (!known->second.empty() && (!refused || entry.size > 0))
      damage(fmt::format("{}: {}", name, known->second));
    return known->second.empty() && !refused;
  }

  // What is wrong with a file; empty when it is sound.
  std::string check_file(const TreeEntry& entry) {
    ++report_.files;
    report_.bytes += entry.size;
    try {
      auto recipe = repository_.objects().read_recipe(entry.file());
      if (recipe->size() != entry.size)
        return fmt::format("its recipe makes {} bytes of {}", recipe->size(), entry.size);
      auto what = index::verify_recipe(*recipe, repository_.packs());
      if (what) {  // a prune that runs beside this check may have moved its bytes
        recipe = repository_.objects().read_newest_recipe(entry.file());
        what = index::verify_recipe(*recipe, repository_.packs());
      }
      const index::FileReader file(recipe, repository_.objects());
      if (!what && options_.read_data == index::ReadData::kYes)
        what = index::verify_file(file, repository_.key(), stop_);
      if (!what && options_.tsm && entry.name.ends_with(".tsm")) what = check_tsm(file, *recipe);
      return what.value_or("");
    } catch (const CorruptError& error) {
      return error.what();
    } catch (const IoError& error) {
      require_damage(error);
      return error.what();
    }
  }

  // Decodes a TSM file, whatever its name.
  std::optional<std::string> check_tsm(const index::FileReader& file, const index::Recipe& recipe) {
    index::StoredSource source(file);
    index::FileCutter cutter(source, index::FileKind::kTsm);
    index::CutBatch batch;
    while (cutter.next(batch))
      if (stop_.stop_requested()) throw Cancelled();
    ++report_.tsm_files;
    if (cutter.tsm_defect().empty()) return std::nullopt;
    ++report_.unsound_tsm;
    return fmt::format("it is no sound TSM file{}: {}",
                       recipe.tsm_defect().empty() ? "" : ", as it came from the server",
                       cutter.tsm_defect());
  }

  void damage(std::string what) { found_.push_back(std::move(what)); }

  void report_found() {
    report_.damages += found_.size();
    for (const std::string& what : found_) options_.on_damage(what);
    found_.clear();
  }

  index::Repository& repository_;
  Catalog& catalog_;
  const CheckOptions& options_;
  std::stop_token stop_;
  CheckReport report_;
  std::vector<index::PackId> packs_;  // on disk
  std::vector<std::string> found_;    // damage that was not told yet
  std::unordered_map<index::TreeId, Counts, index::IdHash> sound_trees_;
  std::unordered_map<index::FileId, std::string, index::IdHash> files_;
};

}  // namespace

CheckReport check_repository(index::Repository& repository, Catalog& catalog,
                             const CheckOptions& options, std::stop_token stop) {
  return Check(repository, catalog, options, std::move(stop)).run();
}

}  // namespace tsmfs::snapshot
