#include "snapshot/backup_dir.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "snapshot/disk_file.h"
#include "snapshot/portable_manifest.h"
#include "snapshot/quote.h"

namespace tsmfs::snapshot {

namespace {

using Severity = Problem::Severity;

constexpr std::string_view kMetaName = "meta";
constexpr std::string_view kManifestSuffix = ".manifest";
constexpr std::string_view kPendingSuffix = ".pending";  // a download that has not ended
constexpr size_t kStampChars = 16;                       // 20160201T180236Z
constexpr size_t kShardDigitsMin = 5, kNumberDigitsMin = 2;
constexpr size_t kNotesMax = 20;

struct DirFile {
  std::string name;
  Timestamp mtime;
};

// Takes ".digits" off the end of `text`.
template <typename Number>
std::optional<Number> take_number(std::string_view& text, size_t digits_min) {
  const size_t dot = text.rfind('.');
  if (dot == std::string_view::npos || text.size() - dot - 1 < digits_min) return std::nullopt;
  Number value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + dot + 1, end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  text.remove_suffix(text.size() - dot);
  return value;
}

void note(BackupDir& dir, std::string what) {
  if (dir.notes.size() < kNotesMax)
    dir.notes.push_back(std::move(what));
  else if (dir.notes.size() == kNotesMax)
    dir.notes.emplace_back("more files that influxd backup did not leave are not named here");
}

// Regular files; anything else is noted. One that cannot be looked at may belong to any run, so
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
      files.push_back({name, {status->st_mtim.tv_sec * 1'000'000'000 + status->st_mtim.tv_nsec}});
    else
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

void add_legacy(LegacyFiles found, BackupDir& dir) {
  if (found.runs.empty()) {
    if (!found.archives.empty())
      note(dir, fmt::format(
                    "{} archives of shards, as {}, lie here without any meta.NN and were left out",
                    found.archives.size(), quote(found.archives.front().file.filename().string())));
    return;
  }
  std::sort(found.runs.begin(), found.runs.end(),
            [](const BackupRun& a, const BackupRun& b) { return a.time < b.time; });
  for (ShardArchive& archive : found.archives)
    run_at(found.runs, archive.mtime).archives.push_back(std::move(archive));
  for (const DirFile& file : found.pending)
    run_at(found.runs, file.mtime)
        .problems.push_back({Severity::kIncomplete, "",
                             quote(file.name) + " is a download that did not end: influxd backup "
                                                "was interrupted, or is still running"});
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

// ---- portable ----

BackupRun read_portable(const BackupDir& dir, const std::string& name, Timestamp time) {
  const ByteBuffer json = read_disk_file(dir.path / name, kPortableManifestBytesMax);
  const PortableManifest manifest = parse_portable_manifest(as_text(json), quote(name));
  BackupRun run;
  run.form = BackupRun::Form::kPortable;
  run.name = name;
  run.time = time;
  run.metastore = dir.path / manifest.meta_file;
  run.metastore_bytes = manifest.metastore_bytes;
  run.limited = manifest.limited;
  for (const PortableFile& file : manifest.files) {
    ShardArchive archive;
    archive.file = dir.path / file.file;
    archive.shard = file.path.shard;
    archive.path = file.path;
    archive.tar_bytes = file.tar_bytes;
    run.archives.push_back(std::move(archive));
  }
  return run;
}

// Manifests; true also for the files that manifests name.
bool take_portable(BackupDir& dir, const DirFile& file) {
  if (file.name.size() <= kStampChars) return false;
  const auto time = parse_portable_stamp(std::string_view(file.name).substr(0, kStampChars));
  if (!time) return false;
  const std::string_view rest = std::string_view(file.name).substr(kStampChars);
  if (rest != kManifestSuffix) return rest == ".meta" || rest.ends_with(".tar.gz");
  try {
    dir.runs.push_back(read_portable(dir, file.name, *time));
  } catch (const ProtocolError& error) {
    dir.damaged.emplace_back(error.what());
  }
  return true;
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

std::optional<Timestamp> parse_portable_stamp(std::string_view stamp) {
  if (stamp.size() != kStampChars || stamp[8] != 'T' || stamp[15] != 'Z') return std::nullopt;
  const auto digits = [&](size_t from, size_t count) { return stamp.substr(from, count); };
  try {
    return parse_rfc3339(fmt::format("{}-{}-{}T{}:{}:{}Z", digits(0, 4), digits(4, 2), digits(6, 2),
                                     digits(9, 2), digits(11, 2), digits(13, 2)));
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

BackupDir read_backup_dir(const std::filesystem::path& path) {
  BackupDir dir;
  dir.path = path;
  LegacyFiles legacy;
  for (const DirFile& file : list_files(dir)) {
    if (!take_legacy(dir, file, legacy) && !take_portable(dir, file))
      note(dir, quote(file.name) + " is no file of influxd backup and was left out");
  }
  add_legacy(std::move(legacy), dir);
  std::stable_sort(dir.runs.begin(), dir.runs.end(),
                   [](const BackupRun& a, const BackupRun& b) { return a.time < b.time; });
  if (dir.runs.empty() && dir.damaged.empty())
    throw UsageError(quote(path.string()) + " holds no backup",
                     "influxd backup leaves meta.NN or *.manifest; for the data directory of a "
                     "server use --data-dir");
  return dir;
}

}  // namespace tsmfs::snapshot
