// A directory whose files appear together when all of them are whole.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "snapshot/byte_sink.h"

namespace tsmfs::snapshot {

// Files are made in `<target>/.tsmfs-export.tmp`, and renamed into the target by publish().
// Destroyed unpublished, it removes what it made. write() may be called from several threads.
class StagedDirectory {
 public:
  // Makes the directory. Throws: UsageError when it is there and not empty; IoError.
  explicit StagedDirectory(std::filesystem::path target);
  StagedDirectory(const StagedDirectory&) = delete;
  StagedDirectory& operator=(const StagedDirectory&) = delete;
  ~StagedDirectory();
  // Makes a file for its owner only (a backup holds password hashes), lets `fill` write it, and
  // syncs it.
  void write(const std::string& name, const std::function<void(ByteSink&)>& fill) const;
  // Gives the files their places, in this order: the one that makes the others count comes last.
  // Durable on return. Throws: IoError, with some of the files in place.
  void publish(const std::vector<std::string>& names);

 private:
  std::filesystem::path target_, stage_;
  bool made_target_ = false;
};

}  // namespace tsmfs::snapshot
