// A directory whose files appear together when all of them are whole.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "index/base/held_directory.h"
#include "index/base/timestamp.h"
#include "snapshot/stream/byte_sink.h"

namespace tsmfs::snapshot {

// Files are made in `<target>/.tsmfs-export.tmp`, and renamed into the target by publish().
// Destroyed unpublished, it removes what it made. write() may be called from several threads.
class StagedDirectory {
 public:
  // Makes the directory, whose files will be of `time` (of now without one), for whom
  // index/base/held_directory.h says. Throws: UsageError when it is there and not empty; IoError.
  explicit StagedDirectory(const std::filesystem::path& target,
                           std::optional<Timestamp> time = std::nullopt);
  StagedDirectory(const StagedDirectory&) = delete;
  StagedDirectory& operator=(const StagedDirectory&) = delete;
  ~StagedDirectory();
  // Makes a file for its owner only (a backup holds password hashes), lets `fill` write it, and
  // syncs it.
  void write(const std::string& name, const std::function<void(ByteSink&)>& fill) const;
  // Gives the files their places, in this order: the one that makes the others count comes last.
  // Durable on return, the directory's own name too. Throws: IoError, with some of the files in
  // place.
  void publish(const std::vector<std::string>& names);

 private:
  void remove_what_was_made() noexcept;

  std::optional<Timestamp> time_;
  std::optional<Directory> above_;   // when the target was made in it
  std::string name_;                 // the target's in `above_`
  std::optional<Directory> target_;  // these are there as soon as it is constructed
  std::optional<Directory> stage_;
};

}  // namespace tsmfs::snapshot
