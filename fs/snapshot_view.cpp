#include "fs/snapshot_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "index/base/error.h"

namespace tsmfs::fs {
namespace {

using snapshot::EntryKind;
using snapshot::Manifest;
using snapshot::TreeEntry;

// Ordinals are made of the counts in entries: were a count wrong, two nodes could have one number.
TreePtr get_checked(TreeCache& trees, const index::TreeId& id, uint64_t below) {
  TreePtr tree = trees.get(id);
  if (tree->totals().below != below) {
    throw CorruptError(fmt::format("tree node {} holds {} entries, where {} were counted", id.hex(),
                                   tree->totals().below, below));
  }
  return tree;
}

uint32_t generation(const Manifest& manifest) {
  return load_le<uint32_t>(manifest.id.bytes.data());
}

NodeKind kind_of(const TreeEntry& entry) {
  return entry.kind == EntryKind::kDirectory ? NodeKind::kDirectory : NodeKind::kFile;
}

}  // namespace

SnapshotView::Directory SnapshotView::root() const {
  const Manifest& manifest = *shown_.snapshot;
  if (section_ == Section::kMeta)
    return {0, get_checked(trees_, manifest.meta, manifest.meta_below), nullptr};
  if (section_ == Section::kWal)
    return {0, get_checked(trees_, manifest.wal.value(), manifest.wal_below), nullptr};
  Directory root{0, get_checked(trees_, manifest.data, manifest.data_below), nullptr};
  if (section_ == Section::kChanges && shown_.previous)
    root.before = trees_.get(shown_.previous->data);
  return root;
}

SnapshotView::Directory SnapshotView::child(const Directory& directory, size_t i) const {
  const TreeEntry& entry = directory.entry(i);
  Directory child{directory.ordinal_of(i), get_checked(trees_, entry.directory(), entry.below),
                  nullptr};
  if (directory.before) {
    const TreeEntry* before = directory.before->find(entry.name);
    if (before != nullptr && before->kind == EntryKind::kDirectory)
      child.before = trees_.get(before->directory());
  }
  return child;
}

bool SnapshotView::shows(const Directory& directory, size_t i, uint32_t depth) const {
  if (!directory.before) return true;
  const TreeEntry& entry = directory.entry(i);
  const TreeEntry* before = directory.before->find(entry.name);
  if (before == nullptr || before->kind != entry.kind) return true;
  if (before->id == entry.id) return false;
  return entry.kind == EntryKind::kFile || shows_any(child(directory, i), depth + 1);
}

bool SnapshotView::shows_any(const Directory& directory, uint32_t depth) const {
  if (depth > snapshot::kTreeDepthMax) throw CorruptError("a tree is nested too deeply");
  for (size_t i = 0; i < directory.tree->entries().size(); ++i) {
    if (shows(directory, i, depth)) return true;
  }
  return false;
}

std::optional<SnapshotView::Place> SnapshotView::find(uint32_t ordinal, std::string* path) const {
  Directory at = root();
  for (uint32_t depth = 0; depth <= snapshot::kTreeDepthMax; ++depth) {
    const std::vector<uint64_t>& firsts = at.tree->first_ordinals();
    const uint64_t within = ordinal - at.ordinal;
    const auto behind = std::ranges::upper_bound(firsts, within);
    if (behind == firsts.begin()) return std::nullopt;
    const auto i = static_cast<size_t>(behind - firsts.begin()) - 1;
    const TreeEntry& entry = at.entry(i);
    if (within > firsts[i] + entry.below) return std::nullopt;
    if (path != nullptr) path->append("/").append(entry.name);
    if (within == firsts[i]) {
      // What is above a shown node is shown as well: it has another id than before too.
      if (!shows(at, i, depth)) return std::nullopt;
      return Place{std::move(at), i};
    }
    at = child(at, i);
  }
  throw CorruptError("a tree is nested too deeply");
}

std::optional<SnapshotView::Directory> SnapshotView::find_directory(uint32_t ordinal) const {
  if (ordinal == 0) return root();
  const auto place = find(ordinal);
  if (!place || (**place).kind != EntryKind::kDirectory) return std::nullopt;
  return child(place->in, place->entry);
}

uint32_t SnapshotView::count_directories(const Directory& directory) const {
  if (!directory.before) return static_cast<uint32_t>(directory.tree->directories());
  uint32_t count = 0;
  for (size_t i = 0; i < directory.tree->entries().size(); ++i)
    if (directory.entry(i).kind == EntryKind::kDirectory && shows(directory, i, 0)) ++count;
  return count;
}

Node SnapshotView::directory_node(const Directory& directory) const {
  Node node;
  node.inode = inode(directory.ordinal);
  node.generation = generation(*shown_.snapshot);
  // What a directory of /changes holds depends on both; the kernel must not take it for the same
  // when the other one changes.
  if (section_ == Section::kChanges && shown_.previous) {
    node.generation ^= load_le<uint32_t>(shown_.previous->id.bytes.data() + sizeof(uint32_t));
  }
  node.mtime = shown_.snapshot->time;
  node.links = 2 + count_directories(directory);
  node.attributes_fixed = true;
  node.name_fixed = directory.ordinal != 0;
  return node;
}

Node SnapshotView::entry_node(const Directory& directory, size_t i) const {
  const TreeEntry& entry = directory.entry(i);
  if (entry.kind == EntryKind::kDirectory) return directory_node(child(directory, i));
  Node node;
  node.inode = inode(directory.ordinal_of(i));
  node.generation = generation(*shown_.snapshot);
  node.kind = NodeKind::kFile;
  node.mode = entry.mode & 0777;
  node.size = entry.size;
  node.mtime = entry.mtime;
  node.attributes_fixed = true;
  node.name_fixed = true;
  return node;
}

std::optional<Node> SnapshotView::node(uint32_t ordinal) const {
  if (ordinal == 0) return directory_node(root());
  const auto place = find(ordinal);
  if (!place) return std::nullopt;
  return entry_node(place->in, place->entry);
}

std::optional<LookupResult> SnapshotView::lookup(uint32_t directory, std::string_view name) const {
  const auto found = find_directory(directory);
  if (!found) return std::nullopt;
  const TreeEntry* entry = found->tree->find(name);
  if (entry == nullptr) return LookupResult{std::nullopt, true};
  const auto i = static_cast<size_t>(entry - found->tree->entries().data());
  if (!shows(*found, i, 0)) return LookupResult{std::nullopt, true};
  return LookupResult{entry_node(*found, i), false};
}

bool SnapshotView::list(uint32_t directory, uint64_t cookie, Detail detail, const Inode& parent,
                        const ListVisitor& visit) const {
  const auto found = find_directory(directory);
  if (!found) return false;
  if (cookie < kCookieSelf &&
      !visit({".", inode(directory), NodeKind::kDirectory, kCookieSelf, {}}))
    return true;
  if (cookie < kCookieParent && !visit({"..", parent, NodeKind::kDirectory, kCookieParent, {}}))
    return true;
  for (size_t i = cookie < kCookieFirst ? 0 : cookie - kCookieFirst + 1;
       i < found->tree->entries().size(); ++i) {
    if (!shows(*found, i, 0)) continue;
    const TreeEntry& entry = found->entry(i);
    Listed listed{entry.name, inode(found->ordinal_of(i)), kind_of(entry), kCookieFirst + i,
                  std::nullopt};
    if (detail == Detail::kNodes) listed.node = entry_node(*found, i);
    if (!visit(listed)) return true;
  }
  return true;
}

std::optional<FileContent> SnapshotView::file(uint32_t ordinal) const {
  if (ordinal == 0) return std::nullopt;
  const auto place = find(ordinal);
  if (!place || (**place).kind != EntryKind::kFile) return std::nullopt;
  return FileContent{(**place).file(), (**place).size};
}

std::optional<uint32_t> SnapshotView::parent(uint32_t ordinal) const {
  const auto place = find(ordinal);
  if (!place) return std::nullopt;
  return place->in.ordinal;
}

std::optional<std::string> SnapshotView::path(uint32_t ordinal) const {
  std::string path;
  if (ordinal != 0 && !find(ordinal, &path)) return std::nullopt;
  return path;
}

}  // namespace tsmfs::fs
