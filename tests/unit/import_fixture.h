// Directories as influxd backup and a server leave them, and a repository to import them into.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "index/base/file.h"
#include "snapshot/import/import.h"
#include "tests/support/gzip.h"
#include "tests/support/point_tsm.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {

constexpr int64_t kSecond = 1'000'000'000;
inline const ShardPath kOne{"db", "rp", 1}, kTwo{"my.db", "one.week", 20};

// A TSM file of one series with a point at each of these times, in nanoseconds; not at `end`.
inline std::string points(int64_t begin, int64_t end) {
  return std::string(
      as_text(test::make_point_tsm({{"cpu,host=a#!~#value", test::times(begin, end)}})));
}

inline void write_file(const std::filesystem::path& path, const std::string& content,
                       int64_t seconds = 1'000'000) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
  const timespec times[2] = {{seconds, 0}, {seconds, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

// Names longer than 10 in a directory whose path has so many bytes can be listed, but not looked at
// (ENAMETOOLONG), by root neither.
constexpr size_t kLongPathBytes = 4085;

// Directories below `top`, so deep that the innermost's path and `rest` have kLongPathBytes.
inline std::filesystem::path make_long_path(std::filesystem::path top, const std::string& rest) {
  for (;;) {
    const size_t missing = kLongPathBytes - rest.size() - top.native().size();
    const size_t name = missing <= 200 ? missing - 1 : std::min<size_t>(missing - 3, 199);
    top /= std::string(name, 'd');
    if (missing <= 200) break;
  }
  std::filesystem::create_directories(top.native() + rest);
  return top;
}

inline void write_in(const std::filesystem::path& directory, const std::string& name,
                     const std::string& content) {
  const Fd parent = open_file(directory, O_RDONLY | O_DIRECTORY);
  const Fd file(::openat(parent.number(), name.c_str(), O_WRONLY | O_CREAT, 0600));
  ASSERT_TRUE(file);
  write_all(file, as_bytes(content), directory / name);
  const timespec times[2] = {{1'000'000, 0}, {1'000'000, 0}};
  ASSERT_EQ(::futimens(file.number(), times), 0);
}

// Times count from here, so that metastores know the shards by then.
constexpr int64_t kEpoch = 1'000'000'000;

class ImportTest : public BackupTest {
 protected:
  using State = std::map<ShardPath, FileContents>;

  // One run of legacy backup: meta.NN, then each shard's tar a second later.
  void add_run(unsigned number, int64_t at, const State& metastore, const State& sent) {
    write_file(source / fmt::format("meta.{:02}", number),
               support::frame_metastore(make_meta_db(metastore, 1, {})), kEpoch + at);
    for (const auto& [path, files] : sent)
      write_file(legacy_tar(path), tar(path, files), kEpoch + ++at);
  }
  // The first free number of the shard's name.
  std::filesystem::path legacy_tar(const ShardPath& path) const {
    for (unsigned number = 0;; ++number) {
      const auto file =
          source / fmt::format("{}.{}.{:05}.{:02}", path.database, path.policy, path.shard, number);
      if (!std::filesystem::exists(file)) return file;
    }
  }
  // A file's time in the tar is its generation's hour.
  static std::string tar(const ShardPath& path, const FileContents& files) {
    std::vector<support::TarEntry> entries;
    for (const auto& [name, content] : files)
      entries.push_back({path.text() + "/" + name, content, 3600 * std::stoll(name.substr(0, 9))});
    return support::make_tar(entries, support::TarForm::kPax);
  }
  void add_portable(const std::string& stamp, const State& metastore, const State& sent,
                    bool limited = false) {
    using namespace support::protobuf;
    const std::string meta_db = make_meta_db(metastore, 1, {});
    write_file(source / (stamp + ".meta"), bytes(1, meta_db) + number(2, 0));
    std::string files;
    for (const auto& [path, contents] : sent) {
      const std::string content = tar(path, contents);
      const std::string name = fmt::format("{}.s{}.tar.gz", stamp, path.shard);
      write_file(source / name, support::gzip(content));
      files += fmt::format(
          R"({}{{"database":"{}","policy":"{}","shardID":{},"fileName":"{}","size":{},"lastModified":0}})",
          files.empty() ? "" : ",", path.database, path.policy, path.shard, name, content.size());
    }
    write_file(
        source / (stamp + ".manifest"),
        fmt::format(R"({{"meta":{{"fileName":"{}.meta","size":{}}},"limited":{},"files":[{}]}})",
                    stamp, meta_db.size(), limited, files));
  }

  struct Result {
    std::vector<ImportReport> reports;
    bool complete = false;
    const Manifest& manifest(size_t i) const { return *reports.at(i).snapshot; }
  };
  // Runs `import` with an open repository.
  template <typename Import>
  Result with_target(const Import& import, std::optional<Timestamp> time = {}) {
    const auto repository = index::Repository::open_writer({root, "test"});
    index::RepositoryWriter writer(*repository, {});
    Catalog catalog(repository->storage());
    ImportTarget target{*repository, writer, catalog};
    Result result;
    ImportOptions options;
    options.server = "server";
    options.time = time;
    options.on_snapshot = [&](const ImportReport& report) { result.reports.push_back(report); };
    result.complete = import(options, target);
    return result;
  }
  Result import(std::optional<Timestamp> time = {}) {
    const auto found = read_backup_dirs(source);
    return with_target(
        [&](const ImportOptions& options, ImportTarget& target) {
          return import_backup_dirs(found, options, target, {});
        },
        time);
  }
  static FileContents flat(const State& state) { return expected({state, {}, 1}); }

  std::filesystem::path source = dir / "source";
};

}  // namespace tsmfs::snapshot
