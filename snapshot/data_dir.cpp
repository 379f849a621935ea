#include "snapshot/data_dir.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "index/base/directory.h"
#include "index/base/directory_users.h"
#include "index/base/error.h"
#include "snapshot/disk_file.h"
#include "snapshot/metastore.h"
#include "snapshot/quote.h"
#include "snapshot/shard_dir.h"

namespace tsmfs::snapshot {

namespace {

using Severity = Problem::Severity;
namespace fs = std::filesystem;

constexpr size_t kNotesMax = 20;

bool is_made_anew(const std::string& name) {
  return is_rebuilt_at_start(name) || name == "_series";
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
      for (const DirEntry& entry : list_entries(directory)) {
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
      for (const DirEntry& entry : list_entries(directory)) {
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
  require_directory(places.data, "--data-dir");
  if (!places.meta.empty()) require_directory(places.meta, "--meta-dir");
  if (!places.wal.empty()) require_directory(places.wal, "--wal-dir");
  DataDir dir;
  dir.places = places;
  dir.server = find_server(places);
  dir.shards = Walk(dir, DirKind::kData).shards(places.data);
  if (dir.shards.empty()) throw_no_shard(dir);
  if (!places.meta.empty()) look_at_meta(dir);
  if (!places.wal.empty()) dir.wal_shards = Walk(dir, DirKind::kWal).shards(places.wal);
  if (places.meta.empty())
    dir.problems.push_back({Severity::kWarning, "",
                            "has no metastore, since --meta-dir was not given: a server ignores "
                            "shards that its metastore does not know"});
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
                                    std::strerror(error.error_number())));
  }
  if (has_node_json) answer.node_json = read_disk_file(meta / "node.json", kNodeJsonBytesMax);
  return answer;
}

}  // namespace tsmfs::snapshot
