// A mounted history: takes the mount point, serves the kernel, gives the mount point back.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "fs/fuse_operations.h"
#include "fs/mount_options.h"

struct fuse_session;

namespace tsmfs::fs {

// For one thread; the work is done by threads of its own.
class FuseSession {
 public:
  static constexpr unsigned kThreadsMax = 16;

  // Mounts. Requires: `history`, `objects` and `ahead` outlive it; options.mountpoint came from
  // check_mountpoint(). Throws: Error.
  FuseSession(HistoryView& history, index::ObjectReader& objects, ReadAhead& ahead,
              const MountOptions& options);
  // Unmounts, lazily when somebody still uses it.
  ~FuseSession();
  FuseSession(const FuseSession&) = delete;
  FuseSession& operator=(const FuseSession&) = delete;

  // Serves until the file system is unmounted from outside or `stop` is requested; requests under
  // way are answered first. `on_ready` is called from another thread once the mount is there for
  // everybody; should it throw, the mount ends. Call once. Uses SIGUSR1 on the calling thread.
  // Throws: Error, and what `on_ready` threw.
  void run(const std::stop_token& stop, std::function<void()> on_ready);

 private:
  struct DestroySession {
    void operator()(fuse_session* session) const;
  };
  void mount();

  MountOptions options_;
  MountedHistory mounted_;
  std::unique_ptr<fuse_session, DestroySession> session_;
};

}  // namespace tsmfs::fs
