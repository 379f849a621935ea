// A directory node: what one directory of a snapshot holds. Encoded as docs/FORMAT.md, "Tree
// nodes", says.
//
// The encoding is canonical (entries sorted by name, one form for each value), so that equal
// directories have equal ids.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "index/base/bytes.h"
#include "index/base/name.h"
#include "index/base/timestamp.h"
#include "index/format/digest.h"

namespace tsmfs::snapshot {

constexpr uint32_t kTreeDepthMax = 64;

enum class EntryKind : uint8_t { kFile = 1, kDirectory = 2 };

struct TreeEntry {
  Name name;
  EntryKind kind = EntryKind::kFile;
  uint32_t mode = 0;   // permission bits
  Timestamp mtime;     // 0 for a directory: it shows the snapshot's time, so that an unchanged one
                       // stays one node
  uint64_t size = 0;   // a file's bytes; for a directory the sum of all files below it
  uint64_t below = 0;  // for a directory: entries below it, at all depths; 0 for a file
  std::variant<index::FileId, index::TreeId> id;

  const index::FileId& file() const { return std::get<index::FileId>(id); }
  const index::TreeId& directory() const { return std::get<index::TreeId>(id); }
  bool operator==(const TreeEntry&) const = default;
};

struct TreeTotals {
  uint64_t size = 0;   // bytes of all files below
  uint64_t below = 0;  // entries below, at all depths
};

// Immutable once made.
class Tree {
 public:
  // Sorts by name. Throws: UsageError on two entries of one name.
  explicit Tree(std::vector<TreeEntry> entries);
  // Throws: CorruptError, naming `object`, for anything but a canonical encoding.
  static Tree decode(ByteView encoded, std::string_view object);
  ByteBuffer encode() const;

  const std::vector<TreeEntry>& entries() const { return entries_; }
  const TreeEntry* find(std::string_view name) const;
  const TreeTotals& totals() const { return totals_; }
  // How many of the entries are directories.
  size_t directories() const { return directories_; }
  // Entry i and all below it have the ordinals [first_ordinals()[i], first_ordinals()[i] + 1 +
  // entries()[i].below) within this directory's own numbering, which starts at 1 (0 is the
  // directory itself): the preorder number of each node.
  const std::vector<uint64_t>& first_ordinals() const { return first_ordinals_; }

 private:
  Tree() = default;
  void count();
  std::vector<TreeEntry> entries_;
  std::vector<uint64_t> first_ordinals_;
  TreeTotals totals_;
  size_t directories_ = 0;
};

}  // namespace tsmfs::snapshot
