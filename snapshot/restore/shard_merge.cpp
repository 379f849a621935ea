#include "snapshot/restore/shard_merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "index/repository/stored_source.h"
#include "index/tsm/tsm_fields.h"
#include "snapshot/influxdb/data_name.h"
#include "snapshot/influxdb/unopenable.h"
#include "snapshot/influxdb/wal_times.h"
#include "snapshot/intake/shard_reader.h"
#include "snapshot/stream/disk_file.h"

namespace tsmfs::snapshot {

namespace {

constexpr std::string_view kWalEnding = ".wal";

[[noreturn]] void refuse(const std::string& file, std::string_view why, const char* hint) {
  throw UsageError(fmt::format("{} {}", quote(file), why), hint);
}

using Names = std::map<std::string, DataName, std::less<>>;

std::vector<std::string> stems(const Names& names) {
  std::vector<std::string> found;
  for (const auto& [name, parsed] : names)
    if (found.empty() || found.back() != stem_of(name)) found.emplace_back(stem_of(name));
  return found;
}

// What is read of the target: a failure is one of its disk, not of a server or of the repository.
template <typename Read>
auto reading_there(const Read& read) {
  try {
    return read();
  } catch (const ProtocolError& error) {
    throw IoError(error.what(), EIO);
  } catch (const CorruptError& error) {
    throw BusyError(error.what(), "see what writes there, and restore again");
  }
}

class Merge {
 public:
  Merge(index::Repository& repository, const ShardPath& path, const std::vector<TreeEntry>& files,
        const ShardThere& there, Prefer prefer, const std::stop_token& stop)
      : repository_(repository),
        path_(path),
        files_(files),
        there_(there),
        prefer_(prefer),
        stop_(stop) {}

  ShardMerge run();

 private:
  void read_there();
  void read_snapshot();
  const index::FileId& digest_there(const std::string& name);
  bool is_same(std::string_view there, std::string_view stored);
  void find_same();
  bool is_done() const;
  void require_one_type();
  index::TsmFieldTypes types_there() const;
  std::map<uint64_t, uint64_t> number(const Names& names);
  void name_all();
  void refuse_type(const std::string& field, const std::set<uint8_t>& types,
                   const std::set<uint8_t>& there) const;
  static FileSource open(const Directory& directory, const std::string& name) {
    return FileSource(DiskFile(directory.open_file(name), directory.path(name)));
  }

  index::Repository& repository_;
  const ShardPath& path_;
  const std::vector<TreeEntry>& files_;
  const ShardThere& there_;
  Prefer prefer_;
  const std::stop_token& stop_;
  std::vector<std::string> lasting_;
  Names old_names_, new_names_;  // that of the directory, and of the snapshot
  std::map<std::string, const TreeEntry*, std::less<>> adding_;
  std::map<std::string, uint64_t, std::less<>> sizes_;         // of the directory's
  std::map<std::string, index::FileId, std::less<>> digests_;  // of the directory's, as asked
  std::map<std::string, std::string, std::less<>> same_;       // stems: the snapshot's, there
  uint64_t last_ = 0;                                          // generation that is in use
  ShardMerge result_;
};

ShardMerge Merge::run() {
  if (there_.data) read_there();
  read_snapshot();
  find_same();
  if (is_done()) return std::move(result_);
  result_.needed = true;
  require_one_type();
  name_all();
  return std::move(result_);
}

void Merge::read_there() {
  const Directory& there = *there_.data;
  lasting_ = lasting_files(there);
  for (const std::string& name : lasting_) {
    const std::string path = there.path(name).string();
    const auto status = there.status(name);
    const uint64_t size = status ? static_cast<uint64_t>(status->st_size) : 0;
    if (const auto why = why_name_refused(name, size))
      refuse(path, *why, "look at that first: the shard as it is cannot be opened");
    // The kernel lets nobody link the files of others (fs.protected_hardlinks).
    if (status && there.rights()->user != 0 && status->st_uid != there.rights()->user)
      refuse(path,
             fmt::format("belongs to user {}, not to {}, who owns its directory", status->st_uid,
                         there.rights()->user),
             "chown it first, as influxd needs it");
    if (auto parsed = parse_data_name(name)) {
      last_ = std::max(last_, parsed->generation);
      old_names_.emplace(name, std::move(*parsed));
      sizes_.emplace(name, size);
    } else if (name.ends_with(kTsmEnding)) {
      refuse(path, "has no name as influxd gives it, with nine digits and nine",
             "--overwrite replaces the shard");
    }
  }
}

void Merge::read_snapshot() {
  for (const TreeEntry& file : files_) {
    const std::string name = path_.text() + "/" + file.name.text();
    if (file.name.ends_with(kTsmEnding))
      if (const auto why = why_refused(file.name, *repository_.objects().read_recipe(file.file())))
        refuse(name, *why, "such a shard is no gain for one that is sound");
    if (auto parsed = parse_data_name(file.name)) {
      last_ = std::max(last_, parsed->generation);
      new_names_.emplace(file.name, std::move(*parsed));
      adding_.emplace(file.name, &file);
    } else if (file.name.ends_with(kTsmEnding)) {
      refuse(name, "has no name as influxd gives it, with nine digits and nine",
             "restore it into an empty directory");
    } else {
      result_.left_out.push_back(name);
    }
  }
}

const index::FileId& Merge::digest_there(const std::string& name) {
  const auto known = digests_.find(name);
  if (known != digests_.end()) return known->second;
  return digests_
      .emplace(name, reading_there([&] {
                 FileSource source = open(*there_.data, name);
                 return digest_of(source, repository_.key(), stop_);
               }))
      .first->second;
}

// Whether a TSM file of the directory and one of the snapshot are the same, tombstones included.
bool Merge::is_same(std::string_view there, std::string_view stored) {
  for (const std::string_view ending : {kTsmEnding, kTombstoneEnding}) {
    const auto old = old_names_.find(fmt::format("{}{}", there, ending));
    const auto added = new_names_.find(fmt::format("{}{}", stored, ending));
    if ((old == old_names_.end()) != (added == new_names_.end())) return false;
    if (old == old_names_.end()) continue;
    const TreeEntry& file = *adding_.at(added->first);
    if (sizes_.find(old->first)->second != file.size || digest_there(old->first) != file.file())
      return false;
  }
  return true;
}

// Each file that is there stands for one of the snapshot.
void Merge::find_same() {
  std::vector<std::string> there = stems(old_names_);
  for (const std::string& stored : stems(new_names_)) {
    const auto found =
        std::ranges::find_if(there, [&](const std::string& old) { return is_same(old, stored); });
    if (found == there.end()) continue;
    same_.emplace(stored, *found);
    there.erase(found);
  }
  std::erase_if(adding_, [&](const auto& entry) { return same_.contains(stem_of(entry.first)); });
}

// A side that wins has to come last.
bool Merge::is_done() const {
  if (!adding_.empty()) return false;
  if (prefer_ == Prefer::kExisting) return true;
  const auto there = stems(old_names_), stored = stems(new_names_);
  return there.size() >= stored.size() &&
         std::equal(stored.begin(), stored.end(), there.end() - std::ssize(stored),
                    [&](const auto& stem, const auto& old) { return same_.at(stem) == old; });
}

index::TsmFieldTypes Merge::types_there() const {
  index::TsmFieldTypes types;
  for (const auto& [name, parsed] : old_names_) {
    if (stop_.stop_requested()) throw Cancelled();
    if (parsed.ending != kTsmEnding) continue;
    const bool sound = reading_there([&, file = name] {
      FileSource source = open(*there_.data, file);
      return index::add_field_types(source, types);
    });
    if (!sound)
      refuse(there_.data->path(name).string(), "is no sound TSM file",
             "look at that first: influxd does not open the shard as it is");
  }
  if (!there_.wal) return types;
  for (const std::string& name : there_.wal->list()) {
    if (stop_.stop_requested()) throw Cancelled();
    if (!name.ends_with(kWalEnding)) continue;
    reading_there([&] {
      FileSource source = open(*there_.wal, name);
      return read_wal_times(source, &types).whole;
    });
  }
  return types;
}

// A type that only deleted points have counts as well, for the block is there until a compaction.
void Merge::require_one_type() {
  const index::TsmFieldTypes there = types_there();
  index::TsmFieldTypes added;
  for (const auto& [name, file] : adding_) {
    if (stop_.stop_requested()) throw Cancelled();
    if (!name.ends_with(kTsmEnding)) continue;
    index::StoredSource source(repository_.objects().open_file(file->file()));
    index::add_field_types(source, added);
  }
  for (const auto& [field, types] : added) {
    const auto other = there.find(field);
    if (other == there.end()) continue;
    std::set<uint8_t> both = types;
    both.insert(other->second.begin(), other->second.end());
    if (both.size() > 1) refuse_type(field, types, other->second);
  }
}

void Merge::refuse_type(const std::string& field, const std::set<uint8_t>& types,
                        const std::set<uint8_t>& there) const {
  const auto named = [](const std::set<uint8_t>& all) {
    std::string names;
    for (const uint8_t type : all)
      names += (names.empty() ? "" : " and ") + std::string(index::tsm_type_name(type));
    return names;
  };
  const size_t separator = field.find(index::kTsmFieldSeparator);
  throw UsageError(
      fmt::format("field {} of {} is {} in the snapshot and {} in {}: influxd opens no shard with "
                  "both",
                  quote(field.substr(separator + index::kTsmFieldSeparator.size())),
                  quote(field.substr(0, separator)), named(types), named(there),
                  (there_.data ? there_.data : there_.wal)->path().string()),
      "restore it under another name (--newdb); deleted points count until influxd has compacted "
      "the shard");
}

// The next generations, one for each of `names`, in their order.
std::map<uint64_t, uint64_t> Merge::number(const Names& names) {
  std::map<uint64_t, uint64_t> numbers;
  for (const auto& [name, parsed] : names) numbers.emplace(parsed.generation, 0);
  for (auto& [generation, next] : numbers) next = ++last_;
  if (last_ > kGenerationMax)
    throw UsageError(fmt::format("{} has no generation left for each file", quote(path_.text())),
                     "restore it under another name: --newdb");
  return numbers;
}

// Where the snapshot is preferred, what the directory has otherwise keeps its names.
void Merge::name_all() {
  const bool moves_old = prefer_ == Prefer::kExisting;
  Names added_names = new_names_;
  if (moves_old)
    std::erase_if(added_names, [&](const auto& entry) { return !adding_.contains(entry.first); });
  const auto of_added = number(added_names);
  const auto of_old = moves_old ? number(old_names_) : std::map<uint64_t, uint64_t>();
  std::map<std::string, std::string, std::less<>>
      moved;  // stems of the directory, and their new ones
  if (moves_old)
    for (const auto& [name, parsed] : old_names_)
      moved.emplace(stem_of(name), stem_of(parsed.with_generation(of_old.at(parsed.generation))));
  else
    for (const auto& [name, parsed] : new_names_)
      if (const auto same = same_.find(stem_of(name)); same != same_.end())
        moved.emplace(same->second,
                      stem_of(parsed.with_generation(of_added.at(parsed.generation))));
  for (const std::string& name : lasting_) {
    const auto move = old_names_.contains(name) ? moved.find(stem_of(name)) : moved.end();
    result_.kept.push_back(
        {name, move == moved.end() ? name : move->second + old_names_.at(name).ending});
  }
  for (const auto& [name, file] : adding_) {
    TreeEntry added = *file;
    const DataName& parsed = new_names_.at(name);
    added.name = Name::require(parsed.with_generation(of_added.at(parsed.generation)), "tsmfs");
    // The server has it from now on: backups of what has changed are to see it.
    added.mtime = now();
    result_.added.push_back(std::move(added));
  }
}

}  // namespace

std::vector<std::string> lasting_files(const Directory& shard) {
  std::vector<std::string> names = shard.list();
  std::erase_if(names, is_rebuilt_at_start);
  std::ranges::sort(names);
  for (const std::string& name : names) {
    const auto status = shard.status(name);
    if (status && !S_ISREG(status->st_mode))
      throw UsageError(shard.path(name).string() + " is no plain file, and cannot be merged with",
                       "move it away, or put a file in its place");
  }
  return names;
}

ShardMerge merge_shard(index::Repository& repository, const ShardPath& path,
                       const std::vector<TreeEntry>& files, const ShardThere& there, Prefer prefer,
                       const std::stop_token& stop) {
  return Merge(repository, path, files, there, prefer, stop).run();
}

}  // namespace tsmfs::snapshot
