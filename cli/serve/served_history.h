// The history, mounted for a past server by a thread of this process.
#pragma once

#include <future>
#include <stop_token>

#include "fs/history_mount.h"
#include "index/base/thread_group.h"

namespace tsmfs::cli {

class ServedHistory {
 public:
  // Mounted on return. `options` as HistoryMount takes them. Requires: the repository and the
  // catalog outlive it. Throws: Error.
  ServedHistory(index::Repository& repository, snapshot::Catalog& catalog,
                const fs::MountOptions& options);
  ServedHistory(const ServedHistory&) = delete;
  ServedHistory& operator=(const ServedHistory&) = delete;

 private:
  fs::HistoryMount mount_;
  std::stop_source end_;
  std::promise<void> ready_;
  ThreadGroup thread_;
};

}  // namespace tsmfs::cli
