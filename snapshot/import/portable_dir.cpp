#include "snapshot/import/portable_dir.h"

#include <fmt/format.h>

#include <utility>

#include "index/base/error.h"
#include "index/base/parse_number.h"
#include "index/base/quote.h"
#include "snapshot/import/portable_manifest.h"
#include "snapshot/stream/disk_file.h"

namespace tsmfs::snapshot {

namespace {

using Severity = Problem::Severity;

constexpr std::string_view kManifestSuffix = ".manifest", kMetaSuffix = ".meta";
constexpr size_t kStampChars = 16;  // 20160201T180236Z

// Of ".s12.tar.gz".
std::optional<uint64_t> parse_archive_suffix(std::string_view suffix) {
  constexpr std::string_view kBegin = ".s", kEnd = ".tar.gz";
  if (!suffix.starts_with(kBegin) || !suffix.ends_with(kEnd) ||
      suffix.size() <= kBegin.size() + kEnd.size())
    return std::nullopt;
  suffix.remove_prefix(kBegin.size());
  suffix.remove_suffix(kEnd.size());
  return parse_number<uint64_t>(suffix);
}

}  // namespace

bool PortableFiles::take(const std::string& name) {
  if (name.size() <= kStampChars) return false;
  const std::string stamp = name.substr(0, kStampChars);
  const std::string_view rest = std::string_view(name).substr(kStampChars);
  const auto time = parse_portable_stamp(stamp);
  const auto shard = parse_archive_suffix(rest);
  if (!time || (rest != kManifestSuffix && rest != kMetaSuffix && !shard)) return false;
  Stamped& files = stamps_[stamp];
  files.time = *time;
  files.manifest |= rest == kManifestSuffix;
  files.meta |= rest == kMetaSuffix;
  if (shard) files.archives.emplace(name, *shard);
  return true;
}

PortableFiles::Found PortableFiles::runs() const {
  Found found;
  for (const auto& [stamp, files] : stamps_) try {
      found.runs.push_back(files.manifest
                               ? read_run(stamp, files)
                               : unlisted_run(stamp, files,
                                              fmt::format("{}{} is not there: influxd backup was "
                                                          "interrupted, or is still running",
                                                          stamp, kManifestSuffix)));
    } catch (const ProtocolError& error) {
      if (files.archives.empty())
        found.damaged.emplace_back(error.what());
      else
        found.runs.push_back(unlisted_run(stamp, files, error.what()));
    }
  return found;
}

BackupRun PortableFiles::read_run(const std::string& stamp, const Stamped& files) const {
  BackupRun run;
  run.form = BackupRun::Form::kPortable;
  run.name = stamp + std::string(kManifestSuffix);
  run.time = files.time;
  const ByteBuffer json = read_disk_file(directory_ / run.name, kPortableManifestBytesMax);
  const PortableManifest manifest = parse_portable_manifest(as_text(json), quote(run.name));
  run.metastore = directory_ / manifest.meta_file;
  run.metastore_bytes = manifest.metastore_bytes;
  run.limited = manifest.limited;
  std::map<std::string, uint64_t> unnamed = files.archives;
  for (const PortableFile& file : manifest.files) {
    unnamed.erase(file.file.text());
    ShardArchive archive = archive_of(file.file.text(), file.shard);
    archive.path = file.path;
    archive.tar_bytes = file.tar_bytes;
    run.archives.push_back(std::move(archive));
  }
  for (const auto& [name, shard] : unnamed) {
    run.archives.push_back(archive_of(name, shard));
    run.problems.push_back({Severity::kWarning, "",
                            fmt::format("{} does not name {}, which was taken as well",
                                        quote(run.name), quote(name))});
  }
  return run;
}

// A run of which no manifest can be read.
BackupRun PortableFiles::unlisted_run(const std::string& stamp, const Stamped& files,
                                      std::string why) const {
  BackupRun run;
  run.form = BackupRun::Form::kPortable;
  run.name = stamp + std::string(kManifestSuffix);
  run.time = files.time;
  run.listed = false;
  if (files.meta) run.metastore = directory_ / (stamp + std::string(kMetaSuffix));
  for (const auto& [name, shard] : files.archives) run.archives.push_back(archive_of(name, shard));
  run.problems.push_back(
      {Severity::kIncomplete, "", std::move(why) + "; its archives that are whole are here"});
  return run;
}

ShardArchive PortableFiles::archive_of(const std::string& name, uint64_t shard) const {
  ShardArchive archive;
  archive.file = directory_ / name;
  archive.shard = shard;
  archive.gzipped = true;
  return archive;
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

}  // namespace tsmfs::snapshot
