// The directory that a past server lives in: what is written to it, its configuration and its log.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "index/storage/file_lock.h"

namespace tsmfs::cli {

class ServedPlace {
 public:
  // A new one in TMPDIR, or in /var/tmp. Those that were left there by processes that were killed
  // are removed first. Throws: IoError.
  static ServedPlace temporary();
  // One that a person named, and that stays: made if it is absent, empty, or of an earlier serve.
  // Throws: UsageError for another one; BusyError when a server runs on it; IoError.
  static ServedPlace kept(const std::filesystem::path& directory);

  ServedPlace(ServedPlace&&) = default;
  ServedPlace& operator=(ServedPlace&&) = delete;
  // As remove().
  ~ServedPlace();
  // Removes a temporary one.
  void remove() const noexcept;

  const std::filesystem::path& root() const { return root_; }
  bool is_kept() const { return kept_; }
  // Where the history is mounted.
  std::filesystem::path history() const { return root_ / "history"; }
  // The server's directories. What is written to the data and the log lies in `layers`.
  std::filesystem::path data() const { return root_ / "data"; }
  std::filesystem::path wal() const { return root_ / "wal"; }
  std::filesystem::path meta() const { return root_ / "meta"; }
  std::filesystem::path layers() const { return root_ / "layers"; }
  std::filesystem::path config() const { return root_ / "influxdb.conf"; }
  std::filesystem::path log() const { return root_ / "influxd.log"; }

  // What a server, over a mount, has written so far to its data, its index among it; on the disk.
  // Throws: IoError.
  uint64_t written_bytes() const;

  // What of which repository is served here, as was noted; empty when nothing was yet.
  std::string served() const;
  void note_served(const std::string& what) const;
  // For a place that was new, and to which no server has written.
  void forget_served() const;

 private:
  ServedPlace(std::filesystem::path root, bool kept);
  std::filesystem::path root_;
  bool kept_ = false;
  std::unique_ptr<index::FileLock> lock_;  // empty once it was moved from
};

}  // namespace tsmfs::cli
