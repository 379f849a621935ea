#include "snapshot/data_dir.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "snapshot/disk_file.h"
#include "snapshot/metastore.h"
#include "snapshot/overlay.h"
#include "snapshot/quote.h"

namespace tsmfs::snapshot {

namespace {

using Severity = Problem::Severity;
namespace fs = std::filesystem;

constexpr size_t kDigestBytes = size_t{1} << 20;
constexpr size_t kNotesMax = 20;

struct DirEntry {
  Name name;
  mode_t mode = 0;  // 0 when it cannot be looked at
  FileStat stat;
  std::string failure;  // why it cannot be looked at
  bool operator==(const DirEntry&) const = default;
};

Timestamp time_of(const timespec& time) {
  return {time.tv_sec * 1'000'000'000 + time.tv_nsec};
}

// What fails here is the way in, not the repository.
[[noreturn]] void throw_unreadable(const fs::path& path, const IoError& error) {
  throw ProtocolError(fmt::format("{} cannot be read: {}", quote(path.string()),
                                  std::strerror(error.error_number())));
}

// Nothing when it was deleted since its directory was listed.
std::optional<DirEntry> look_at(const fs::path& directory, const Name& name) {
  try {
    const auto status = link_status_if_exists(directory / name.text());
    if (!status) return std::nullopt;
    return DirEntry{name,
                    status->st_mode & S_IFMT,
                    {status->st_ino, static_cast<uint64_t>(status->st_size),
                     time_of(status->st_mtim), time_of(status->st_ctim)},
                    ""};
  } catch (const IoError& error) {
    return DirEntry{name,
                    0,
                    {},
                    fmt::format("cannot be looked at and was left out: {}",
                                std::strerror(error.error_number()))};
  }
}

// Sorted by name; links are not followed. Throws: ProtocolError.
std::vector<DirEntry> list(const fs::path& directory) {
  std::vector<DirEntry> entries;
  try {
    for (const std::string& name : list_directory(directory))
      if (auto entry = look_at(directory, Name::require(name, directory.string())))
        entries.push_back(std::move(*entry));
  } catch (const IoError& error) {
    throw_unreadable(directory, error);
  }
  return entries;
}

bool is_taken(const std::string& name, DirKind kind) {
  if (kind == DirKind::kWal) return name.ends_with(".wal");
  return name.ends_with(".tsm") || name.ends_with(".tombstone");
}

bool is_made_anew(const std::string& name) {
  return is_rebuilt_at_start(name) || name == "_series" || name.starts_with("fields.idx");
}

class Walk {
 public:
  Walk(DataDir& dir, DirKind kind) : dir_(dir), kind_(kind) {}

  std::map<ShardPath, fs::path> shards(const fs::path& top) {
    std::map<ShardPath, fs::path> found;
    for (const std::string& database : directories(top, ""))
      for (const std::string& policy : directories(top / database, database + "/"))
        for (const std::string& shard :
             directories(top / database / policy, database + "/" + policy + "/"))
          add_shard(top, database + "/" + policy + "/" + shard, found);
    return found;
  }

 private:
  // The names of the directories in one; `inside` is its path from the top.
  std::vector<std::string> directories(const fs::path& directory, const std::string& inside) {
    std::vector<std::string> names;
    try {
      for (const DirEntry& entry : list(directory)) {
        if (!entry.failure.empty())
          unread(inside + entry.name.text(), entry.failure);
        else if (S_ISDIR(entry.mode) && !is_made_anew(entry.name))
          names.push_back(entry.name.text());
        else if (S_ISLNK(entry.mode))
          problem(inside + entry.name.text(),
                  "is a symbolic link, which is not followed: what it leads to is not here");
        else if (!is_made_anew(entry.name))
          note(inside + entry.name.text());
      }
    } catch (const ProtocolError& error) {
      unread(inside, error.what());
    }
    return names;
  }

  void add_shard(const fs::path& top, const std::string& inside,
                 std::map<ShardPath, fs::path>& found) {
    const auto path = parse_shard_path(inside);
    if (!path) return note(inside);
    const fs::path directory = top / inside;
    found.emplace(*path, directory);
    try {
      for (const DirEntry& entry : list(directory)) {
        if (!is_taken(entry.name, kind_)) {
          if (!is_made_anew(entry.name)) note(inside + "/" + entry.name.text());
        } else if (!entry.failure.empty()) {
          unread(inside + "/" + entry.name.text(), entry.failure);
        } else if (S_ISREG(entry.mode)) {
          dir_.changed = std::max(dir_.changed, entry.stat.mtime);
        }
      }
    } catch (const ProtocolError& error) {
      unread(inside, error.what());
    }
  }

  void unread(const std::string& inside, const std::string& what) {
    dir_.changed_is_known = false;
    problem(inside, what);
  }
  void problem(const std::string& inside, const std::string& what) {
    dir_.problems.push_back({Severity::kIncomplete, inside, what});
  }
  void note(const std::string& inside) {
    if (dir_.notes.size() < kNotesMax)
      dir_.notes.push_back(quote(inside) + " does not belong to a shard and was left out");
    else if (dir_.notes.size() == kNotesMax)
      dir_.notes.emplace_back("more files that do not belong to a shard are not named here");
  }

  DataDir& dir_;
  DirKind kind_;
};

void require_directory(const fs::path& path, const char* option) {
  if (!directory_exists(path))
    throw UsageError(fmt::format("{} {} is not a directory", option, quote(path.string())));
}

[[noreturn]] void throw_no_shard(const DataDir& dir) {
  const std::string data = quote(dir.places.data.string());
  if (!dir.changed_is_known)
    throw ProtocolError(fmt::format("no shard of {} can be read: {} {}", data,
                                    quote(dir.problems.front().path), dir.problems.front().what));
  throw UsageError(data + " holds no shard",
                   "name the directory that holds one directory a database, as "
                   "/var/lib/influxdb/data");
}

void look_at_meta(DataDir& dir) {
  for (const DirEntry& entry : list(dir.places.meta))
    if (entry.name == "meta.db") {
      if (!entry.failure.empty()) dir.changed_is_known = false;  // read_meta_dir() says why
      dir.changed = std::max(dir.changed, entry.stat.mtime);
    }
}

index::FileId digest_of(FileSource& source, const index::DigestKey& key,
                        const std::stop_token& stop) {
  index::DigestStream digest(key);
  for (uint64_t offset = 0; offset < source.size(); offset += kDigestBytes) {
    if (stop.stop_requested()) throw Cancelled();
    digest.update(source.view(
        offset, static_cast<size_t>(std::min<uint64_t>(kDigestBytes, source.size() - offset))));
  }
  return digest.file_id();
}

// One pass over a directory; false when it changed meanwhile.
bool read_once(const fs::path& directory, const ShardPath& path, DirKind kind, ShardReader& reader,
               const index::DigestKey& key, SeenByImports& seen, const std::stop_token& stop,
               DirShard& result) {
  const Timestamp begin = now();
  const std::vector<DirEntry> before = list(directory);
  const std::string inside = (kind == DirKind::kData ? "data/" : "wal/") + path.text() + "/";
  const auto problem = [&](const DirEntry& entry, std::string what) {
    result.problems.push_back(
        {Severity::kIncomplete, path.text() + "/" + entry.name.text(), std::move(what)});
  };
  for (const DirEntry& entry : before) {
    if (!is_taken(entry.name, kind)) continue;
    if (!entry.failure.empty()) {
      problem(entry, entry.failure);
      continue;
    }
    if (!S_ISREG(entry.mode)) {
      problem(entry, "is not a regular file and was left out");
      continue;
    }
    try {
      const FileStat& stat = entry.stat;
      auto id = seen.last.find(inside + entry.name.text(), stat);
      if (!id || !reader.take_stored(entry.name, *id, stat.size, stat.mtime, result.shard)) {
        FileSource source(directory / entry.name);
        id = digest_of(source, key, stop);
        reader.store(entry.name, source, *id, source.file().mtime(), result.shard);
      }
      if (is_settled(stat, begin)) seen.now.note(inside + entry.name.text(), stat, *id);
    } catch (const ProtocolError& error) {
      problem(entry, error.what());
    } catch (const CorruptError& error) {
      problem(entry, error.what());  // other bytes at the second pass, or fewer
    }
  }
  return list(directory) == before && result.problems.empty();
}

void add_defects(const ShardPath& path, DirShard& result) {
  for (const FileDefect& defect : result.shard.defects)
    result.problems.push_back({Severity::kWarning, path.text() + "/" + defect.file,
                               "is not a sound TSM file: " + defect.what + "; stored as it is"});
}

}  // namespace

DataDir read_data_dir(const DataDirPlaces& places) {
  require_directory(places.data, "--data-dir");
  if (!places.meta.empty()) require_directory(places.meta, "--meta-dir");
  if (!places.wal.empty()) require_directory(places.wal, "--wal-dir");
  DataDir dir;
  dir.places = places;
  dir.shards = Walk(dir, DirKind::kData).shards(places.data);
  if (dir.shards.empty()) throw_no_shard(dir);
  if (!places.meta.empty()) look_at_meta(dir);
  if (!places.wal.empty()) dir.wal_shards = Walk(dir, DirKind::kWal).shards(places.wal);
  if (places.meta.empty())
    dir.problems.push_back({Severity::kWarning, "",
                            "has no metastore, since --meta-dir was not given: a server ignores "
                            "shards that its metastore does not know"});
  if (places.wal.empty())
    dir.problems.push_back({Severity::kWarning, "",
                            "has no WAL, since --wal-dir was not given: points that the server had "
                            "not yet written to TSM files are not here"});
  return dir;
}

MetastoreAnswer read_meta_dir(const fs::path& meta) {
  MetastoreAnswer answer;
  answer.meta_db = read_disk_file(meta / "meta.db", kMetastoreBytesMax);
  bool has_node_json = false;
  try {
    has_node_json = path_exists(meta / "node.json");
  } catch (const IoError& error) {
    throw_unreadable(meta / "node.json", error);
  }
  if (has_node_json) answer.node_json = read_disk_file(meta / "node.json", kNodeJsonBytesMax);
  return answer;
}

DirShard read_shard_dir(const fs::path& directory, const ShardPath& path, DirKind kind,
                        ShardReader& reader, const index::DigestKey& key, SeenByImports& seen,
                        const std::stop_token& stop) {
  DirShard result;
  try {
    if (!read_once(directory, path, kind, reader, key, seen, stop, result)) {
      DirShard again;
      const bool settled = read_once(directory, path, kind, reader, key, seen, stop, again);
      // Chunks count as new the first time only.
      again.shard.new_bytes += result.shard.new_bytes;
      result = std::move(again);
      if (!settled && result.problems.empty())
        result.problems.push_back(
            {Severity::kIncomplete, path.text(),
             "changed while it was read, twice: stop the server, or read a file-system snapshot"});
    }
  } catch (const ProtocolError& error) {
    result.problems.push_back({Severity::kIncomplete, path.text(), error.what()});
  }
  if (kind == DirKind::kData) add_defects(path, result);
  return result;
}

}  // namespace tsmfs::snapshot
