// All snapshots of a repository, oldest first, kept up to date from its manifests and what amends
// them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "index/base/mutex.h"
#include "index/storage/storage.h"
#include "snapshot/model/manifest.h"

namespace tsmfs::snapshot {

using SnapshotPtr = std::shared_ptr<const Manifest>;

// An immutable state of the catalog. Sorted by (time, number).
struct CatalogState {
  std::vector<SnapshotPtr> snapshots;
  std::map<uint32_t, size_t> by_number;  // into snapshots
  std::vector<std::string> damaged;      // manifests that could not be read, one message each
  std::vector<std::string> doubts;       // amendments likewise, and what is none
  std::vector<SnapshotPtr> doubtful;     // pinned, since their amendments are among those
  bool may_come_back = false;            // by an error of reading that can pass
  uint64_t generation = 0;               // another value for another state
  // Whether everything could be read.
  bool is_sound() const { return damaged.empty() && doubts.empty(); }
};

// Thread safe. Requires: `storage` outlives it.
class Catalog {
 public:
  explicit Catalog(index::Storage& storage);
  // The state as last read. Empty before the first refresh().
  std::shared_ptr<const CatalogState> state() const;
  // Reads what came since, drops what went; cheap when nothing did. A manifest that is damaged, or
  // lies in a bad sector, is named in `damaged` and hides no other; an amendment in `doubts`, and
  // its snapshot counts as pinned until there is another one. Throws: IoError when it cannot be
  // told what there is.
  std::shared_ptr<const CatalogState> refresh();
  // Gives the snapshot its number and makes it durable. Requires: the caller is the repository's
  // writer, and all that the manifest refers to has been flushed.
  SnapshotPtr publish(Manifest manifest);
  // Says of a snapshot that is there what may be said of it later: its tags, and which of its
  // missing shards are accepted; durable on return. Throws: InvariantError when more than that is
  // another in `amended`. Requires: as publish().
  SnapshotPtr amend(const Manifest& amended);
  std::vector<SnapshotPtr> amend(const std::vector<Manifest>& amended);
  // Forgets snapshots; those that are not there are none to forget. Durable on return; ended in
  // between, each of them is there or not. Requires: as publish().
  void remove(const std::vector<SnapshotPtr>& snapshots);

 private:
  struct Known {
    uint32_t amendment = 0;  // the number of the one in force
    SnapshotPtr snapshot;    // amended
  };

  class Amendments;

  std::optional<std::string> folders_version() const;
  SnapshotPtr read_amended(const std::string& key, const std::vector<uint32_t>& amendments,
                           CatalogState& fresh) const;
  void read_all(CatalogState& fresh) TSMFS_REQUIRES(mutex_);

  index::Storage& storage_;
  mutable Mutex mutex_;
  std::unordered_map<std::string, Known> known_ TSMFS_GUARDED_BY(mutex_);  // by the object's key
  std::shared_ptr<const CatalogState> state_ TSMFS_GUARDED_BY(mutex_);
  std::optional<std::string> version_ TSMFS_GUARDED_BY(mutex_);  // of what was last read
};

// The snapshots of a server, with a tag; an empty name or tag lets all through. Oldest first.
std::vector<SnapshotPtr> choose_snapshots(const CatalogState& state, std::string_view server,
                                          std::string_view tag);

// The manifest of that key, as it was published; null when there is none. Throws: IoError;
// CorruptError, also when its id is not its name.
SnapshotPtr read_snapshot(const index::Storage& storage, const std::string& key);

// One of these, oldest first: "latest", an id or its beginning (at least 4 digits), or an RFC 3339
// time in seconds. Throws: UsageError when none or several match.
SnapshotPtr find_snapshot(const std::vector<SnapshotPtr>& snapshots, std::string_view text);
SnapshotPtr find_snapshot(const CatalogState& state, std::string_view text);

// Whether `text` is the snapshot's id, or at least 4 digits that it begins with.
bool is_id_of(std::string_view text, const Manifest& snapshot);

}  // namespace tsmfs::snapshot
