#include "snapshot/import/shard_dir.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file_time.h"
#include "index/base/quote.h"
#include "snapshot/stream/disk_file.h"

namespace tsmfs::snapshot {

namespace {

using Severity = Problem::Severity;
namespace fs = std::filesystem;

// Nothing when it was deleted since its directory was listed.
std::optional<DirEntry> look_at(const fs::path& directory, const Name& name) {
  try {
    const auto status = link_status_if_exists(directory / name.text());
    if (!status) return std::nullopt;
    return DirEntry{name,
                    status->st_mode & S_IFMT,
                    status->st_uid,
                    {status->st_ino, static_cast<uint64_t>(status->st_size),
                     from_timespec(status->st_mtim), from_timespec(status->st_ctim)},
                    ""};
  } catch (const IoError& error) {
    return DirEntry{name,
                    0,
                    0,
                    {},
                    fmt::format("cannot be looked at and was left out: {}",
                                std::generic_category().message(error.error_number()))};
  }
}

bool is_gone(const fs::path& path) {
  try {
    return !link_status_if_exists(path);
  } catch (const IoError&) {
    return false;  // what cannot be looked at is not known to be gone
  }
}

class ShardDirReader {
 public:
  ShardDirReader(const fs::path& directory, const ShardPath& path, DirKind kind,
                 ShardReader& reader, const index::DigestKey& key, SeenByImports& seen,
                 const std::stop_token& stop)
      : directory_(directory),
        path_(path),
        kind_(kind),
        inside_((kind == DirKind::kData ? "data/" : "wal/") + path.text() + "/"),
        reader_(reader),
        key_(key),
        seen_(seen),
        stop_(stop) {}

  DirShard read(unsigned passes_max) {
    DirShard result;
    bool settled = false;
    for (unsigned pass = 0; pass < passes_max && !settled; ++pass) {
      DirShard again;
      again.moved = result.moved;
      again.shard.new_bytes = result.shard.new_bytes;  // chunks count as new the first time only
      settled = read_once(again);
      const bool same_problems = pass > 0 && !again.problems.empty() && !changed_;
      result = std::move(again);
      if (same_problems) break;
    }
    if (!settled && result.problems.empty())
      result.problems.push_back(
          {Severity::kIncomplete, path_.text(),
           fmt::format("changed each of the {} times that it was read: stop the server, or read a "
                       "file-system snapshot",
                       passes_max)});
    return result;
  }

 private:
  // False when there is a reason to read it again.
  bool read_once(DirShard& result) {
    const Timestamp begin = now();
    const std::vector<DirEntry> before = list();
    vanished_ = false;
    for (const DirEntry& entry : before) take(entry, begin, result);
    changed_ = kind_ == DirKind::kData && (vanished_ || list() != before);
    result.moved |= changed_;
    return !changed_ && result.problems.empty();
  }

  // Without what else changes there, as a compaction's output under its temporary name.
  std::vector<DirEntry> list() const {
    std::vector<DirEntry> entries = list_entries(directory_);
    std::erase_if(entries, [&](const DirEntry& entry) { return !is_taken(entry.name, kind_); });
    return entries;
  }

  void take(const DirEntry& entry, Timestamp begin, DirShard& result) {
    const auto problem = [&](std::string what) {
      if (is_gone(directory_ / entry.name))
        vanished_ = true;
      else
        result.problems.push_back(
            {Severity::kIncomplete, path_.text() + "/" + entry.name.text(), std::move(what)});
    };
    if (!entry.failure.empty()) return problem(entry.failure);
    if (!S_ISREG(entry.mode)) return problem("is not a regular file and was left out");
    try {
      const FileStat& stat = entry.stat;
      const std::string inside = inside_ + entry.name.text();
      auto id = seen_.now.find(inside, stat);
      if (!id) id = seen_.last.find(inside, stat);
      if (!id || !reader_.take_stored(entry.name, *id, stat.size, stat.mtime, result.shard)) {
        FileSource source(directory_ / entry.name);
        id = digest_of(source, key_, stop_);
        reader_.store(entry.name, source, *id, source.file().mtime(), result.shard);
      }
      if (is_settled(stat, begin)) seen_.now.note(inside, stat, *id);
    } catch (const ProtocolError& error) {
      problem(error.what());
    } catch (const CorruptError& error) {
      problem(error.what());  // other bytes at the second pass, or fewer
    }
  }

  const fs::path& directory_;
  const ShardPath& path_;
  DirKind kind_;
  std::string inside_;  // what seen files are named by
  ShardReader& reader_;
  const index::DigestKey& key_;
  SeenByImports& seen_;
  const std::stop_token& stop_;
  bool vanished_ = false, changed_ = false;  // in the last pass
};

void add_defects(const ShardPath& path, DirShard& result) {
  for (const FileDefect& defect : result.shard.defects)
    result.problems.push_back({Severity::kWarning, path.text() + "/" + defect.file,
                               "is not a sound TSM file: " + defect.what + "; stored as it is"});
}

}  // namespace

std::vector<DirEntry> list_entries(const fs::path& directory) {
  std::vector<DirEntry> entries;
  try {
    for (const std::string& name : list_directory(directory))
      if (auto entry = look_at(directory, Name::require(name, directory.string())))
        entries.push_back(std::move(*entry));
  } catch (const IoError& error) {
    // What fails here is the way in, not the repository.
    throw ProtocolError(fmt::format("{} cannot be read: {}", quote(directory.string()),
                                    std::generic_category().message(error.error_number())));
  }
  return entries;
}

bool is_taken(std::string_view file, DirKind kind) {
  if (kind == DirKind::kWal) return file.ends_with(".wal");
  return file.ends_with(".tsm") || file.ends_with(".tombstone");
}

DirShard read_shard_dir(const fs::path& directory, const ShardPath& path, DirKind kind,
                        ShardReader& reader, const index::DigestKey& key, SeenByImports& seen,
                        const std::stop_token& stop, unsigned passes_max) {
  DirShard result;
  try {
    result = ShardDirReader(directory, path, kind, reader, key, seen, stop).read(passes_max);
  } catch (const ProtocolError& error) {
    if (is_gone(directory)) {
      result.gone = true;
      return result;
    }
    result.problems.push_back({Severity::kIncomplete, path.text(), error.what()});
  }
  if (kind == DirKind::kData) add_defects(path, result);
  return result;
}

}  // namespace tsmfs::snapshot
