#include "snapshot/restore/shard_merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
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
#include "snapshot/influxdb/unopenable.h"
#include "snapshot/intake/shard_reader.h"
#include "snapshot/stream/disk_file.h"

namespace tsmfs::snapshot {

namespace {

constexpr uint64_t kGenerationMax = 999'999'999;  // names of more digits sort elsewhere
constexpr size_t kDigits = 9;
constexpr std::string_view kTsmEnding = ".tsm";
constexpr std::string_view kTombstoneEnding = ".tombstone";

// The name of a TSM file, or of its tombstone, as the server makes it.
struct DataName {
  uint64_t generation = 0;
  std::string sequence;  // its digits
  std::string ending;

  std::string with_generation(uint64_t other) const {
    return fmt::format("{:09}-{}{}", other, sequence, ending);
  }
};

std::optional<uint64_t> parse_number(std::string_view digits) {
  uint64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, number);
  if (digits.size() != kDigits || result.ec != std::errc() || result.ptr != end)
    return std::nullopt;
  return number;
}

std::optional<DataName> parse_data_name(std::string_view name) {
  const size_t dot = name.find('.');
  if (dot != 2 * kDigits + 1 || name[kDigits] != '-') return std::nullopt;
  const std::string_view ending = name.substr(dot);
  const auto generation = parse_number(name.substr(0, kDigits));
  const std::string_view sequence = name.substr(kDigits + 1, kDigits);
  if (!generation || !parse_number(sequence)) return std::nullopt;
  if (ending != kTsmEnding && ending != kTombstoneEnding) return std::nullopt;
  return DataName{*generation, std::string(sequence), std::string(ending)};
}

[[noreturn]] void refuse(const std::string& file, std::string_view why, const char* hint) {
  throw UsageError(fmt::format("{} {}", quote(file), why), hint);
}

using Names = std::map<std::string, DataName, std::less<>>;

// What a TSM file and its tombstone have in common.
std::string_view stem_of(std::string_view name) {
  return name.substr(0, name.find('.'));
}

std::vector<std::string> stems(const Names& names) {
  std::vector<std::string> found;
  for (const auto& [name, parsed] : names)
    if (found.empty() || found.back() != stem_of(name)) found.emplace_back(stem_of(name));
  return found;
}

class Merge {
 public:
  Merge(index::Repository& repository, const ShardPath& path, const std::vector<TreeEntry>& files,
        const Directory& there, Prefer prefer, const std::stop_token& stop)
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
  void leave_out_what_is_there();
  void require_same_types();
  void name_all();
  // A later generation for each of `names`, in their order.
  std::map<uint64_t, uint64_t> generations_after(const Names& others, const Names& names) const;
  FileSource open_there(const std::string& name) const {
    return FileSource(DiskFile(there_.open_file(name), there_.path(name)));
  }

  index::Repository& repository_;
  const ShardPath& path_;
  const std::vector<TreeEntry>& files_;
  const Directory& there_;
  Prefer prefer_;
  const std::stop_token& stop_;
  std::vector<std::string> lasting_;
  Names old_names_, new_names_;  // that of the directory, and of the snapshot
  std::map<std::string, const TreeEntry*, std::less<>> adding_;
  std::map<std::string, index::FileId, std::less<>>
      digests_;  // of the directory's, that were asked
  ShardMerge result_;
};

ShardMerge Merge::run() {
  read_there();
  read_snapshot();
  leave_out_what_is_there();
  if (adding_.empty()) return std::move(result_);
  require_same_types();
  name_all();
  return std::move(result_);
}

void Merge::read_there() {
  lasting_ = lasting_files(there_);
  for (const std::string& name : lasting_) {
    const std::string path = there_.path(name).string();
    const auto status = there_.status(name);
    const uint64_t size = status ? static_cast<uint64_t>(status->st_size) : 0;
    if (const auto why = why_name_refused(name, size))
      refuse(path, *why, "look at that first: the shard as it is cannot be opened");
    if (auto parsed = parse_data_name(name)) {
      old_names_.emplace(name, std::move(*parsed));
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
  FileSource source = open_there(name);
  return digests_.emplace(name, digest_of(source, repository_.key(), stop_)).first->second;
}

// Whether a TSM file of the directory and one of the snapshot are the same, tombstones included.
bool Merge::is_same(std::string_view there, std::string_view stored) {
  for (const std::string_view ending : {kTsmEnding, kTombstoneEnding}) {
    const auto old = old_names_.find(fmt::format("{}{}", there, ending));
    const auto added = adding_.find(fmt::format("{}{}", stored, ending));
    if ((old == old_names_.end()) != (added == adding_.end())) return false;
    if (old == old_names_.end()) continue;
    const TreeEntry& file = *added->second;
    if (open_there(old->first).size() != file.size || digest_there(old->first) != file.file())
      return false;
  }
  return true;
}

// Of the side that loses nothing is wanted that is there anywhere. The side that wins has to come
// last, and to be there as a whole.
void Merge::leave_out_what_is_there() {
  const auto there = stems(old_names_), stored = stems(new_names_);
  std::set<std::string, std::less<>> out;
  if (prefer_ == Prefer::kExisting) {
    for (const std::string& stem : stored)
      if (std::ranges::any_of(there, [&](const auto& old) { return is_same(old, stem); }))
        out.insert(stem);
  } else if (there.size() >= stored.size() &&
             std::equal(stored.begin(), stored.end(), there.end() - std::ssize(stored),
                        [&](const auto& stem, const auto& old) { return is_same(old, stem); })) {
    out.insert(stored.begin(), stored.end());
  }
  std::erase_if(adding_, [&](const auto& entry) { return out.contains(stem_of(entry.first)); });
  std::erase_if(new_names_, [&](const auto& entry) { return !adding_.contains(entry.first); });
}

void Merge::require_same_types() {
  index::TsmFieldTypes there, added;
  for (const auto& [name, parsed] : old_names_) {
    if (stop_.stop_requested()) throw Cancelled();
    if (parsed.ending != kTsmEnding) continue;
    FileSource source = open_there(name);
    if (!index::add_field_types(source, there))
      refuse(there_.path(name).string(), "is no sound TSM file",
             "look at that first: influxd does not open the shard as it is");
  }
  for (const auto& [name, file] : adding_) {
    if (stop_.stop_requested()) throw Cancelled();
    if (!name.ends_with(kTsmEnding)) continue;
    index::StoredSource source(repository_.objects().open_file(file->file()));
    index::add_field_types(source, added);
  }
  for (const auto& [field, types] : added) {
    const auto other = there.find(field);
    if (other == there.end() || other->second == types) continue;
    const size_t separator = field.find(index::kTsmFieldSeparator);
    throw UsageError(
        fmt::format("field {} of {} is {} in the snapshot and {} in {}: influxd opens no shard "
                    "with both",
                    quote(field.substr(separator + index::kTsmFieldSeparator.size())),
                    quote(field.substr(0, separator)), index::tsm_type_name(*types.begin()),
                    index::tsm_type_name(*other->second.begin()), there_.path().string()),
        "restore it under another name: --newdb");
  }
}

std::map<uint64_t, uint64_t> Merge::generations_after(const Names& others,
                                                      const Names& names) const {
  uint64_t last = 0;
  for (const auto& [name, parsed] : others) last = std::max(last, parsed.generation);
  std::map<uint64_t, uint64_t> later;
  for (const auto& [name, parsed] : names) later.emplace(parsed.generation, 0);
  for (auto& [generation, next] : later) next = ++last;
  if (last > kGenerationMax)
    throw UsageError(fmt::format("{} and the snapshot have no generation left for each file",
                                 there_.path().string()),
                     "restore it under another name: --newdb");
  return later;
}

void Merge::name_all() {
  const bool moves_old = prefer_ == Prefer::kExisting;
  const auto later = moves_old ? generations_after(new_names_, old_names_)
                               : generations_after(old_names_, new_names_);
  for (const std::string& name : lasting_) {
    const auto parsed = old_names_.find(name);
    const bool moves = moves_old && parsed != old_names_.end();
    result_.kept.push_back(
        {name, moves ? parsed->second.with_generation(later.at(parsed->second.generation)) : name});
  }
  for (const auto& [name, file] : adding_) {
    TreeEntry added = *file;
    const DataName& parsed = new_names_.at(name);
    if (!moves_old)
      added.name = Name::require(parsed.with_generation(later.at(parsed.generation)), "tsmfs");
    // The server has it from now on: its own backups of what has changed are to see it.
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
                       const std::vector<TreeEntry>& files, const Directory& there, Prefer prefer,
                       const std::stop_token& stop) {
  return Merge(repository, path, files, there, prefer, stop).run();
}

}  // namespace tsmfs::snapshot
