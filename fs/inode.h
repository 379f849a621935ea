// Inode numbers: the number *is* the location, so there is no table of inodes.
//
//   bits 63..60  view      which directory tree
//   bits 59..32  snapshot  the number of a snapshot (Manifest::number)
//   bits 31..0   ordinal   the preorder number of a node in the snapshot's data, meta or WAL tree;
//   0 is its root directory
//
// Hence numbers survive a remount, never collide, can be resolved when the kernel has forgotten
// them, and cost no memory. The same snapshot is reached on several paths (/backups,
// /hosts/<server>/backups); each has a view of its own, so that no directory has two paths. Root is
// 1, as FUSE wants it.
#pragma once

#include <cstdint>
#include <optional>

namespace tsmfs::fs {

enum class View : uint8_t {
  kTop = 0,  // directories that list snapshots; `snapshot` is 0, `ordinal` a ListKind
  kBackups = 1,
  kChanges = 2,
  kMeta = 3,
  kWal = 4,
  kHostBackups = 5,
  kHostChanges = 6,
  kHostMeta = 7,
  kHostWal = 8,
  kHost = 9,  // as kTop, for one server; `snapshot` is the number of its oldest snapshot
};

// What of a snapshot a view shows.
enum class Section : uint8_t { kBackups = 0, kChanges = 1, kMeta = 2, kWal = 3 };
constexpr uint32_t kSectionCount = 4;

// The nodes of View::kTop and View::kHost.
enum class ListKind : uint32_t {
  kRoot = 1,     // "/", or "/hosts/<server>"
  kSection = 2,  // + Section: "backups", "changes", "meta", "wal"
  kHosts = 6,    // only in View::kTop
  kLatest = 7,   // + Section: the symbolic link in each
  kAt = 11,      // "at"
  kAtLink = 16,  // + number of a snapshot: a symbolic link to it in "at"
};

struct Inode {
  static constexpr uint32_t kSnapshotMax = (uint32_t{1} << 28) - 1;
  static constexpr uint64_t kOrdinalMax = UINT32_MAX;

  View view = View::kTop;
  uint32_t snapshot = 0;
  uint32_t ordinal = static_cast<uint32_t>(ListKind::kRoot);

  bool operator==(const Inode&) const = default;
  // Requires: snapshot <= kSnapshotMax.
  uint64_t number() const;
  // std::nullopt for a number that number() never gives. Says nothing about the snapshot being
  // there.
  static std::optional<Inode> from_number(uint64_t number);

  // True for the directories and links above the snapshots, false for what is inside one.
  bool is_list() const { return view == View::kTop || view == View::kHost; }
  bool in_host() const { return view >= View::kHostBackups; }
  // Requires: !is_list().
  Section section() const;
};

// The view that shows `section` of all snapshots, or of one server's.
View view_of(Section section, bool in_host);

// A node above the snapshots: what it is, and of which section or snapshot.
struct ListNode {
  ListKind kind = ListKind::kRoot;
  Section section = Section::kBackups;  // of kSection and kLatest
  uint32_t snapshot = 0;                // of kAtLink
};
uint32_t ordinal_of(const ListNode& node);
// Requires: inode.is_list() and it came from from_number().
ListNode list_node(const Inode& inode);

}  // namespace tsmfs::fs
