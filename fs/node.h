// What the mount says of one file, directory or link.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "fs/inode.h"
#include "index/base/timestamp.h"
#include "index/format/digest.h"

namespace tsmfs::fs {

enum class NodeKind : uint8_t { kDirectory, kFile, kLink };

// What a directory claims to take, so that sums over the mount agree with those over a copy on a
// disk file system.
constexpr uint64_t kDirectoryBytes = 4096;

struct Node {
  Inode inode;
  // Tells apart two snapshots that were given one number, the first being gone; with `inode` it is
  // unique for ever.
  uint32_t generation = 0;
  NodeKind kind = NodeKind::kDirectory;
  uint32_t mode = 0755;  // permission bits
  uint32_t links = 1;
  uint64_t size = kDirectoryBytes;
  Timestamp mtime;
  bool attributes_fixed = false;  // they never change
  bool name_fixed = false;        // the name in its directory always means this node
};

// What a file's bytes are read by.
struct FileContent {
  index::FileId id;
  uint64_t size = 0;
};

// The answer to a name in a directory. Without a node the name is not there; `absence_fixed`: and
// never will be.
struct LookupResult {
  std::optional<Node> node;
  bool absence_fixed = false;
};

// One line of a directory. `name` is good during the visit only.
struct Listed {
  std::string_view name;
  Inode inode;
  NodeKind kind = NodeKind::kDirectory;
  uint64_t cookie = 0;       // a listing from this cookie goes on behind this entry
  std::optional<Node> node;  // only when asked for, and where it costs little
};

enum class Detail { kNames, kNodes };
// Returns false to end the listing; the entry then counts as not taken.
using ListVisitor = std::function<bool(const Listed&)>;

// Cookies of a directory: 0 begins it, then these, then its entries.
constexpr uint64_t kCookieSelf = 1;
constexpr uint64_t kCookieParent = 2;
constexpr uint64_t kCookieFirst = 3;

}  // namespace tsmfs::fs
