// The directories above the snapshots: "/", "/backups", "/hosts/<server>/changes", ..., and the
// `latest` links in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fs/node.h"
#include "fs/snapshot_names.h"

namespace tsmfs::fs {

// Thread safe. Requires: `names` outlives it.
class ListView {
 public:
  explicit ListView(const SnapshotNames& names) : names_(names) {}
  // std::nullopt when there is no such node (any more). Requires for all: inode.is_list().
  std::optional<Node> node(const Inode& inode) const;
  // The node of that name, not "." or ".."; it may be a snapshot's root directory, which this class
  // does not describe.
  std::optional<Inode> find(const Inode& directory, std::string_view name) const;
  // Visits what is behind `cookie`, in an order and with cookies that stay when snapshots come and
  // go.
  void list(const Inode& directory, uint64_t cookie, const ListVisitor& visit) const;
  // What a `latest` link says, or one in "at".
  std::optional<std::string> read_link(const Inode& inode) const;
  Inode parent(const Inode& inode) const;
  // The path from the mount's root, without a "/" at its end; "" for the root itself.
  std::string path(const Inode& inode) const;

 private:
  // Whether a list of snapshots holds one.
  bool has(const Inode& list, const ShownSnapshot& shown) const;
  // Whether a root has an entry: "hosts" is in the mount's only, "wal" where a snapshot has one.
  bool shows(const Inode& root, const ListNode& entry) const;
  // The newest snapshot in the scope of a node: all servers, or one. For "wal" the newest
  // that has one; for `latest` of "backups" and "changes" SnapshotNames::newest_whole.
  const ShownSnapshot* newest(const Inode& inode) const;
  // What a link leads to.
  const ShownSnapshot* target(const Inode& link) const;
  std::optional<Inode> find_point_in_time(const Inode& directory, std::string_view name) const;
  uint32_t count_directories(const Inode& inode) const;
  void list_snapshots(const Inode& directory, uint64_t cookie, const ListVisitor& visit) const;

  const SnapshotNames& names_;
};

}  // namespace tsmfs::fs
