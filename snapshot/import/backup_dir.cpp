#include "snapshot/import/backup_dir.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file_time.h"
#include "index/base/parse_number.h"
#include "index/base/quote.h"
#include "snapshot/import/left_out.h"
#include "snapshot/import/portable_dir.h"
#include "snapshot/model/bounded_notes.h"

namespace tsmfs::snapshot {

namespace {

using Severity = Problem::Severity;

constexpr std::string_view kMetaName = "meta";
constexpr std::string_view kPendingSuffix = ".pending";  // a download that has not ended
constexpr size_t kShardDigitsMin = 5, kNumberDigitsMin = 2;

namespace fs = std::filesystem;

struct DirFile {
  std::string name;
  Timestamp mtime;
};

// Takes ".digits" off the end of `text`.
template <typename Number>
std::optional<Number> take_number(std::string_view& text, size_t digits_min) {
  const size_t dot = text.rfind('.');
  if (dot == std::string_view::npos || text.size() - dot - 1 < digits_min) return std::nullopt;
  const auto value = parse_number<Number>(text.substr(dot + 1));
  if (value) text.remove_suffix(text.size() - dot);
  return value;
}

void note(BackupDir& dir, std::string what) {
  add_note(dir.notes, std::move(what),
           "more files that influxd backup did not leave are not named here");
}

bool is_named_as_backup(const std::string& name) {
  return parse_legacy_name(name) || PortableFiles(fs::path()).take(name);
}

// Regular files; anything else but directories is noted, or called damage where it is named as a
// part of a backup. One that cannot be looked at may belong to any run, so
// none is imported then.
std::vector<DirFile> list_files(BackupDir& dir) {
  if (!directory_exists(dir.path))
    throw UsageError(quote(dir.path.string()) + " is not a directory",
                     "name the directory that influxd backup wrote to");
  std::vector<DirFile> files;
  for (const std::string& name : list_directory(dir.path)) {
    const auto status = link_status_if_exists(dir.path / name);
    if (!status) continue;  // deleted since the list was made
    if (S_ISREG(status->st_mode))
      files.push_back({name, from_timespec(status->st_mtim)});
    else if (!S_ISDIR(status->st_mode) && is_named_as_backup(name))
      dir.damaged.push_back(fmt::format("{} in {} is not a regular file and was left out",
                                        quote(name), quote(dir.path.string())));
    else if (!S_ISDIR(status->st_mode))
      note(dir, quote(name) + " is not a regular file and was left out");
  }
  std::sort(files.begin(), files.end(), [](const DirFile& a, const DirFile& b) {
    return std::tie(a.mtime, a.name) < std::tie(b.mtime, b.name);
  });
  return files;
}

// ---- legacy ----

struct LegacyFiles {
  std::vector<BackupRun> runs;
  std::vector<ShardArchive> archives;
  std::vector<DirFile> pending;
};

// The run that was going on at a time. Requires: runs are sorted, and there is one.
BackupRun& run_at(std::vector<BackupRun>& runs, Timestamp time) {
  const auto behind =
      std::upper_bound(runs.begin(), runs.end(), time,
                       [](Timestamp t, const BackupRun& run) { return t < run.time; });
  return behind == runs.begin() ? runs.front() : *std::prev(behind);
}

// influxd asks for each shard once a run, and numbers the archives of a name in order: where the
// modification times say otherwise, they are not those of the backup.
void check_order(BackupRun& run) {
  std::map<std::string, const ShardArchive*> last;
  for (const ShardArchive& archive : run.archives) {
    if (archive.names.empty()) continue;  // its name says nothing
    const auto [found, first] =
        last.emplace(fmt::format("{}.{}", archive.names, archive.shard), &archive);
    if (first) continue;
    run.problems.push_back(
        {Severity::kWarning, "",
         fmt::format("{} and {} both seem to be of the run of {}: were they copied without their "
                     "modification times? They are laid over each other by their numbers",
                     quote(found->second->file.filename().string()),
                     quote(archive.file.filename().string()), run.name)});
    return;
  }
}

// The run that archives without any meta.NN belong to: that of a portable backup that was killed
// before it had made portable ones of them, or one of their own.
BackupRun& run_without_metastore(const LegacyFiles& found, BackupDir& dir) {
  const Timestamp first =
      found.archives.empty() ? found.pending.front().mtime : found.archives.front().mtime;
  for (BackupRun& run : dir.runs)
    if (!run.listed && run.time <= first) return run;
  BackupRun run;
  run.name = quote((found.archives.empty() ? found.pending.front().name
                                           : found.archives.front().file.filename().string()));
  run.time = first;
  run.listed = false;
  run.problems.push_back(
      {Severity::kIncomplete, "",
       "lies there without any meta.NN, the metastore, which says what else there should be; a "
       "server ignores shards that its metastore does not know"});
  return dir.runs.emplace_back(std::move(run));
}

void add_pending(const DirFile& file, BackupRun& run) {
  run.problems.push_back({Severity::kIncomplete, "",
                          quote(file.name) + " is a download that did not end: influxd backup was "
                                             "interrupted, or is still running"});
}

// Requires: the portable runs are in `dir`.
void add_legacy(LegacyFiles found, BackupDir& dir) {
  if (found.runs.empty()) {
    if (found.archives.empty() && found.pending.empty()) return;
    BackupRun& run = run_without_metastore(found, dir);
    for (ShardArchive& archive : found.archives) run.archives.push_back(std::move(archive));
    for (const DirFile& file : found.pending) add_pending(file, run);
    return;
  }
  std::sort(found.runs.begin(), found.runs.end(),
            [](const BackupRun& a, const BackupRun& b) { return a.time < b.time; });
  for (ShardArchive& archive : found.archives)
    run_at(found.runs, archive.mtime).archives.push_back(std::move(archive));
  for (const DirFile& file : found.pending) add_pending(file, run_at(found.runs, file.mtime));
  for (BackupRun& run : found.runs) {
    std::stable_sort(
        run.archives.begin(), run.archives.end(),
        [](const ShardArchive& a, const ShardArchive& b) { return a.number < b.number; });
    check_order(run);
    dir.runs.push_back(std::move(run));
  }
}

bool take_legacy(const BackupDir& dir, const DirFile& file, LegacyFiles& found) {
  if (file.name.ends_with(kPendingSuffix)) {
    found.pending.push_back(file);
    return true;
  }
  const auto name = parse_legacy_name(file.name);
  if (!name) return false;
  if (name->names.empty()) {
    BackupRun run;
    run.name = file.name;
    run.time = file.mtime;
    run.metastore = dir.path / file.name;
    found.runs.push_back(std::move(run));
  } else {
    ShardArchive archive;
    archive.file = dir.path / file.name;
    archive.shard = name->shard;
    archive.names = name->names;
    archive.number = name->number;
    archive.mtime = file.mtime;
    found.archives.push_back(std::move(archive));
  }
  return true;
}

// An archive under a name that is not influxd's.
bool take_by_content(const BackupDir& dir, const DirFile& file, LegacyFiles& found) {
  auto archive = look_into(dir.path / file.name, file.mtime);
  if (archive) found.archives.push_back(std::move(*archive));
  return archive.has_value();
}

void leave_out(BackupDir& dir, const std::string& name) {
  const std::string why = why_data(dir.path / name);
  if (why.empty())
    note(dir, quote(name) + " is no file of influxd backup and was left out");
  else
    dir.damaged.push_back(fmt::format("{} in {} {}", quote(name), quote(dir.path.string()), why));
}

BackupDir read_if_backup(const fs::path& path) {
  BackupDir dir;
  dir.path = path;
  LegacyFiles legacy;
  PortableFiles portable(path);
  for (const DirFile& file : list_files(dir)) try {
      if (!take_legacy(dir, file, legacy) && !portable.take(file.name) &&
          !take_by_content(dir, file, legacy))
        leave_out(dir, file.name);
    } catch (const ProtocolError& error) {
      dir.damaged.emplace_back(error.what());
    }
  PortableFiles::Found found = portable.runs();
  dir.runs = std::move(found.runs);
  for (std::string& damaged : found.damaged) dir.damaged.push_back(std::move(damaged));
  add_legacy(std::move(legacy), dir);
  std::stable_sort(dir.runs.begin(), dir.runs.end(),
                   [](const BackupRun& a, const BackupRun& b) { return a.time < b.time; });
  return dir;
}

[[noreturn]] void throw_no_backup(const fs::path& path) {
  throw UsageError(quote(path.string()) + " holds no backup",
                   "influxd backup leaves meta.NN or *.manifest; for the data directory of a "
                   "server use --data-dir");
}

bool holds_backup(const BackupDir& dir) {
  return !dir.runs.empty() || !dir.damaged.empty();
}

Timestamp first_time(const BackupDir& dir) {
  return dir.runs.empty() ? Timestamp{} : dir.runs.front().time;
}

// The one that a directory's first run is of, as far as its metastore can be read.
std::optional<uint64_t> cluster_of(const BackupDir& dir) {
  for (const BackupRun& run : dir.runs) try {
      if (run.metastore.empty()) continue;
      return Metastore::parse(read_run_metastore(run).meta_db, run.name).cluster_id();
    } catch (const Error&) {
      // the import of that run says so
    }
  return std::nullopt;
}

}  // namespace

std::optional<LegacyName> parse_legacy_name(std::string_view file) {
  std::string_view rest = file;
  LegacyName name;
  const auto number = take_number<unsigned>(rest, kNumberDigitsMin);
  if (!number) return std::nullopt;
  name.number = *number;
  if (rest == kMetaName) return name;
  const auto shard = take_number<uint64_t>(rest, kShardDigitsMin);
  if (!shard || rest.find('.') == std::string_view::npos) return std::nullopt;
  name.shard = *shard;
  name.names = rest;
  return name;
}

BackupDir read_backup_dir(const fs::path& path) {
  BackupDir dir = read_if_backup(path);
  if (!holds_backup(dir)) throw_no_backup(path);
  return dir;
}

std::vector<BackupDir> read_backup_dirs(const fs::path& path) {
  std::vector<BackupDir> dirs{read_if_backup(path)};
  for (const std::string& name : list_directory(path)) {
    const auto status = link_status_if_exists(path / name);
    if (!status || !S_ISDIR(status->st_mode)) continue;
    BackupDir below = read_if_backup(path / name);
    if (holds_backup(below))
      dirs.push_back(std::move(below));
    else if (const std::string why = why_data_below(path / name); !why.empty())
      dirs.front().damaged.push_back(fmt::format("{} {}", quote(name), why));
    else
      note(dirs.front(), quote(name) + " is a directory without a backup and was left out");
  }
  if (std::none_of(dirs.begin(), dirs.end(), holds_backup)) throw_no_backup(path);
  std::stable_sort(dirs.begin(), dirs.end(), [](const BackupDir& a, const BackupDir& b) {
    return first_time(a) < first_time(b);
  });
  return dirs;
}

void require_one_server(const std::vector<BackupDir>& dirs) {
  std::map<uint64_t, const BackupDir*> clusters;
  if (dirs.size() < 2) return;
  for (const BackupDir& dir : dirs)
    if (const auto cluster = cluster_of(dir)) clusters.emplace(*cluster, &dir);
  if (clusters.size() < 2) return;
  throw UsageError(fmt::format("{} and {} are of different servers",
                               quote(clusters.begin()->second->path.string()),
                               quote(clusters.rbegin()->second->path.string())),
                   "import each server's directories by themselves, with --server");
}

}  // namespace tsmfs::snapshot
