// A repository's history, mounted: all that a mount is made of, in the order in which each part
// needs the one before.
#pragma once

#include <functional>
#include <stop_token>

#include "fs/fuse_session.h"
#include "fs/history_view.h"
#include "fs/mount_options.h"
#include "fs/read_ahead.h"
#include "fs/tree_cache.h"
#include "index/repository/repository.h"
#include "snapshot/model/catalog.h"

namespace tsmfs::fs {

class HistoryMount {
 public:
  // Mounts. Requires: the repository and the catalog outlive it, and as FuseSession(). Throws:
  // Error.
  HistoryMount(index::Repository& repository, snapshot::Catalog& catalog,
               const MountOptions& options);
  // As FuseSession::run().
  void run(const std::stop_token& stop, std::function<void()> on_ready);

 private:
  TreeCache trees_;
  HistoryView history_;
  ReadAhead ahead_;
  FuseSession session_;
};

}  // namespace tsmfs::fs
