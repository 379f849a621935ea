#include "snapshot/import/data_dir.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "index/base/directory.h"
#include "index/base/directory_users.h"
#include "index/base/error.h"
#include "index/base/quote.h"
#include "snapshot/import/likely_dir.h"
#include "snapshot/import/shard_dir.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/model/bounded_notes.h"
#include "snapshot/model/metastore_limit.h"
#include "snapshot/stream/disk_file.h"

namespace tsmfs::snapshot {

namespace {

using Severity = Problem::Severity;
namespace fs = std::filesystem;

bool is_made_anew(const std::string& name) {
  return is_rebuilt_at_start(name) || name == "_series";
}

// What a walk goes down into: its name, and where it lies.
struct Below {
  std::string name;
  fs::path path;
};

class Walk {
 public:
  Walk(DataDir& dir, DirKind kind) : dir_(dir), kind_(kind) {}

  std::map<ShardPath, fs::path> shards(const fs::path& top) {
    std::map<ShardPath, fs::path> found;
    for (const Below& database : directories(top, ""))
      for (const Below& policy : directories(database.path, database.name + "/"))
        for (const Below& shard : directories(policy.path, database.name + "/" + policy.name + "/"))
          add_shard(shard.path, database.name + "/" + policy.name + "/" + shard.name, found);
    return found;
  }
  size_t files() const { return files_; }  // of those shards, that belong into a snapshot

 private:
  // The directories in one; `inside` is its path from the top.
  std::vector<Below> directories(const fs::path& directory, const std::string& inside) {
    std::vector<Below> found;
    try {
      for (const DirEntry& entry : list_entries(directory)) {
        const std::string name = entry.name.text();
        if (!entry.failure.empty()) {
          unread(inside + name, entry.failure);
        } else if (is_made_anew(name)) {
          continue;
        } else if (S_ISDIR(entry.mode)) {
          found.push_back({name, directory / name});
        } else if (S_ISLNK(entry.mode)) {
          if (auto path = follow(directory / name, entry, inside + name))
            found.push_back({name, std::move(*path)});
        } else if (is_taken(name, kind_)) {
          problem(inside + name, "lies in no shard's directory and was left out");
        } else {
          note(inside + name);
        }
      }
    } catch (const ProtocolError& error) {
      unread_unless_gone(directory, inside, error.what());
    }
    return found;
  }

  // Where a link to a directory leads, as influxd follows it. For root, a link may lead to what
  // belongs to whoever made the link, and not to what that user could not read.
  std::optional<fs::path> follow(const fs::path& link, const DirEntry& entry,
                                 const std::string& inside) {
    try {
      const auto status = status_if_exists(link);
      auto path = resolve_if_exists(link);
      if (!status || !path) {
        problem(inside, "is a symbolic link that leads nowhere");
      } else if (!S_ISDIR(status->st_mode)) {
        problem(inside, "is a symbolic link to what is no directory, and was left out");
      } else if (::geteuid() == 0 && entry.owner != 0 && status->st_uid != entry.owner) {
        problem(inside, fmt::format("is a symbolic link of user {} to a directory of user {}, "
                                    "{}, which root does not follow: chown -h root it if it is "
                                    "meant so",
                                    entry.owner, status->st_uid, quote(path->string())));
      } else {
        dir_.problems.push_back(
            {Severity::kWarning, inside,
             fmt::format("is a symbolic link to {}, and was followed; a restore makes a directory "
                         "of it",
                         quote(path->string()))});
        return path;
      }
    } catch (const IoError& error) {
      unread(inside, fmt::format("is a symbolic link that cannot be followed: {}",
                                 std::generic_category().message(error.error_number())));
    }
    return std::nullopt;
  }

  void add_shard(const fs::path& directory, const std::string& inside,
                 std::map<ShardPath, fs::path>& found) {
    const auto path = parse_shard_path(inside);
    size_t files = 0;
    try {
      for (const DirEntry& entry : list_entries(directory)) {
        if (is_taken(entry.name, kind_))
          ++files;
        else if (path && !is_made_anew(entry.name))
          note(inside + "/" + entry.name.text());
        if (!path || !is_taken(entry.name, kind_)) continue;
        if (!entry.failure.empty())
          unread(inside + "/" + entry.name.text(), entry.failure);
        else if (S_ISREG(entry.mode))
          dir_.changed = std::max(dir_.changed, entry.stat.mtime);
      }
    } catch (const ProtocolError& error) {
      unread_unless_gone(directory, inside, error.what());
    }
    if (path) {
      files_ += files;
      found.emplace(*path, directory);
    } else if (files > 0) {
      problem(inside, fmt::format("is not named by a number, as a shard is: its {} files were left "
                                  "out",
                                  files));
    } else {
      note(inside);
    }
  }

  // A running server may drop what has just been listed.
  void unread_unless_gone(const fs::path& directory, const std::string& inside,
                          const std::string& what) {
    try {
      if (!link_status_if_exists(directory)) return;
    } catch (const IoError&) {
      // what cannot be looked at is not known to be gone
    }
    unread(inside, what);
  }
  void unread(const std::string& inside, const std::string& what) {
    dir_.changed_is_known = false;
    problem(inside, what);
  }
  void problem(const std::string& inside, const std::string& what) {
    dir_.problems.push_back({Severity::kIncomplete, inside, what});
  }
  void note(const std::string& inside) {
    add_note(dir_.notes, quote(inside) + " does not belong to a shard and was left out",
             "more files that do not belong to a shard are not named here");
  }

  DataDir& dir_;
  DirKind kind_;
  size_t files_ = 0;
};

void require_likely_place(const fs::path& path, DirKind kind, const char* option) {
  const WrongPlace wrong = judge_place(path, kind, option);
  if (!wrong.what.empty()) throw UsageError(wrong.what, wrong.advice);
}

void require_directory(const fs::path& path, DirKind kind, const char* option) {
  if (!directory_exists(path)) require_likely_place(path, kind, option);
}

void require_meta_directory(const fs::path& meta) {
  const std::string named = "--meta-dir " + quote(meta.string());
  if (!directory_exists(meta))
    throw UsageError(named + " is not a directory",
                     meta.filename() == "meta.db" && path_exists(meta)
                         ? "name the directory that meta.db is in"
                         : "");
  if (!path_exists(meta / "meta.db") && path_exists(meta / "meta" / "meta.db"))
    throw UsageError(named + " holds no meta.db",
                     "it is probably --meta-dir " + quote((meta / "meta").string()));
  if (!path_exists(meta / "meta.db"))
    throw UsageError(named + " holds no meta.db",
                     "without a metastore, --make-metastore instead of it derives one from the "
                     "data");
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
  for (const DirEntry& entry : list_entries(dir.places.meta))
    if (entry.name == "meta.db") {
      if (!entry.failure.empty()) dir.changed_is_known = false;  // read_meta_dir() says why
      dir.changed = std::max(dir.changed, entry.stat.mtime);
    }
}

// The servers that use one of the directories, as far as this user may know.
std::string find_server(const DataDirPlaces& places) {
  for (const fs::path& place : {places.data, places.wal, places.meta}) {
    if (place.empty()) continue;
    auto users = find_directory_users(resolved_path(place), DirectoryUse::kFiles);
    std::erase_if(users,
                  [](const DirectoryUser& user) { return !user.name.starts_with("influxd"); });
    if (!users.empty()) return describe_users(users);
  }
  return {};
}

}  // namespace

DataDir read_data_dir(const DataDirPlaces& places) {
  require_directory(places.data, DirKind::kData, "--data-dir");
  if (!places.meta.empty()) require_meta_directory(places.meta);
  if (!places.wal.empty()) require_directory(places.wal, DirKind::kWal, "--wal-dir");
  DataDir dir;
  dir.places = places;
  dir.server = find_server(places);
  Walk data(dir, DirKind::kData);
  dir.shards = data.shards(places.data);
  if (data.files() == 0 && dir.changed_is_known)
    require_likely_place(places.data, DirKind::kData, "--data-dir");
  if (dir.shards.empty()) throw_no_shard(dir);
  if (!places.meta.empty()) look_at_meta(dir);
  if (!places.wal.empty()) {
    Walk wal(dir, DirKind::kWal);
    dir.wal_shards = wal.shards(places.wal);
    if (wal.files() == 0) require_likely_place(places.wal, DirKind::kWal, "--wal-dir");
  }
  if (!dir.server.empty())
    dir.problems.push_back(
        {Severity::kWarning, "",
         fmt::format("was read while {} was running: points and deletes that came meanwhile may "
                     "be in it or not",
                     dir.server)});
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
    throw ProtocolError(fmt::format("{} cannot be read: {}", quote((meta / "node.json").string()),
                                    std::generic_category().message(error.error_number())));
  }
  if (has_node_json) answer.node_json = read_disk_file(meta / "node.json", kNodeJsonBytesMax);
  return answer;
}

}  // namespace tsmfs::snapshot
