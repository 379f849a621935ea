// What is inside one snapshot as one view shows it: its data tree whole, only what changed in it,
// its meta tree, or its WAL.
//
// Ordinals are those of the whole tree in /changes too, which leaves out an entry that has the same
// kind and id as the one at the same path in the previous snapshot, and a directory in which
// nothing is left but that was there before. Equal directories have equal ids, so equal subtrees
// are never entered.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fs/node.h"
#include "fs/snapshot_names.h"
#include "fs/tree_cache.h"
#include "snapshot/model/tree.h"

namespace tsmfs::fs {

// Thread safe. Requires: `shown` and `trees` outlive it. All functions throw what TreeCache::get
// throws, and CorruptError when a tree's numbers do not fit together.
class SnapshotView {
 public:
  // Requires: !inode_in_view.is_list(), its snapshot is `shown`, and that has a WAL when the view
  // shows it.
  SnapshotView(const ShownSnapshot& shown, const Inode& inode_in_view, TreeCache& trees)
      : shown_(shown),
        view_(inode_in_view.view),
        section_(inode_in_view.section()),
        trees_(trees) {}

  // All return nothing when the view has no such node, or it is of the wrong kind.
  std::optional<Node> node(uint32_t ordinal) const;
  std::optional<LookupResult> lookup(uint32_t directory, std::string_view name) const;
  // "." and "..", the latter as `parent`, then entries by name. Returns false when there is no such
  // directory.
  bool list(uint32_t directory, uint64_t cookie, Detail detail, const Inode& parent,
            const ListVisitor& visit) const;
  std::optional<FileContent> file(uint32_t ordinal) const;
  // Requires: ordinal > 0.
  std::optional<uint32_t> parent(uint32_t ordinal) const;
  // The path below the snapshot's root, with a "/" before each name.
  std::optional<std::string> path(uint32_t ordinal) const;

 private:
  // A directory's node, beside the same directory of the snapshot it is compared with.
  struct Directory {
    uint32_t ordinal = 0;
    TreePtr tree;
    TreePtr before;  // empty: everything in it is new, or nothing is compared
    const snapshot::TreeEntry& entry(size_t i) const { return tree->entries()[i]; }
    uint32_t ordinal_of(size_t i) const {
      return ordinal + static_cast<uint32_t>(tree->first_ordinals()[i]);
    }
  };
  // An entry in the directory that holds it.
  struct Place {
    Directory in;
    size_t entry = 0;
    const snapshot::TreeEntry& operator*() const { return in.entry(entry); }
  };

  Directory root() const;
  // Requires: entry `i` is a directory.
  Directory child(const Directory& directory, size_t i) const;
  bool shows(const Directory& directory, size_t i, uint32_t depth) const;
  bool shows_any(const Directory& directory, uint32_t depth) const;
  // Requires: ordinal > 0. Appends the names on the way to `path`, unless it is null.
  std::optional<Place> find(uint32_t ordinal, std::string* path = nullptr) const;
  std::optional<Directory> find_directory(uint32_t ordinal) const;
  // Of those that are shown.
  uint32_t count_directories(const Directory& directory) const;
  Node directory_node(const Directory& directory) const;
  Node entry_node(const Directory& directory, size_t i) const;
  Inode inode(uint32_t ordinal) const { return {view_, shown_.snapshot->number, ordinal}; }

  const ShownSnapshot& shown_;
  View view_;
  Section section_;
  TreeCache& trees_;
};

}  // namespace tsmfs::fs
