// What the kernel asks of the mount, answered from a HistoryView.
//
// Numbers are locations (fs/inode.h), so forgetting is nothing and there are no directory handles.
// A node that is no more is ESTALE, which makes the kernel walk the path again. Writing is refused
// by the kernel: the mount is read-only.
#pragma once

#include <sys/types.h>

#include <functional>
#include <mutex>

#include "fs/fuse.h"
#include "fs/history_view.h"
#include "fs/read_ahead.h"
#include "index/repository/object_reader.h"

namespace tsmfs::fs {

// How long the kernel may keep what it was told: of a snapshot, which never changes; and of a list
// of snapshots.
constexpr double kFixedSeconds = 365.0 * 24 * 60 * 60;
constexpr double kListSeconds = 1.0;
// What a read asks for at most, and how far ahead the kernel may read by itself.
constexpr unsigned kReadAheadBytes = 4U << 20;

// What the operations work on; libfuse's user data. Thread safe. Requires: the references outlive
// it.
struct MountedHistory {
  HistoryView& history;
  index::ObjectReader& objects;
  ReadAhead& ahead;
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t umask = 0;                // permission bits that nothing has
  std::function<void()> on_ready;  // called once, when the kernel has the mount; must not throw
  std::function<void()> on_first_open;  // called once, before the first file is opened
  std::once_flag first_open;
};

// For fuse_session_new with a MountedHistory as user data.
const fuse_lowlevel_ops& history_operations();

}  // namespace tsmfs::fs
