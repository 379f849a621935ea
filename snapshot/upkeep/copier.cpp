#include "snapshot/upkeep/copier.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "index/repository/stored_source.h"
#include "snapshot/intake/snapshot_builder.h"
#include "snapshot/model/tree_store.h"
#include "snapshot/model/tree_walk.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kCopyBytes = 1 << 20;

// A copy and its original have the same content, unless one of them was changed by hand.
void require_same(bool same) {
  if (!same) throw CorruptError("the other repository has another");
}

}  // namespace

Copier::Copier(index::Repository& source, index::Repository& target,
               index::RepositoryWriter& writer, Catalog& target_catalog, std::stop_token stop)
    : source_(source),
      target_(target),
      writer_(writer),
      catalog_(target_catalog),
      stop_(stop),
      whole_(target, writer, std::move(stop)) {}

Original Copier::original_of(const Manifest& snapshot) const {
  return snapshot.original.value_or(Original{source_.config().id, snapshot.id});
}

SnapshotPtr Copier::find_copy(const Manifest& snapshot) const {
  const Original original = original_of(snapshot);
  for (const SnapshotPtr& there : catalog_.state()->snapshots) {
    const bool is_original =
        original.repository == target_.config().id && original.snapshot == there->id;
    if (is_original || there->original == original) return there;
  }
  return nullptr;
}

void Copier::learn(const Manifest& snapshot, const Manifest& copy) {
  try {
    learn_tree(snapshot.data, copy.data);
    learn_tree(snapshot.meta, copy.meta);
  } catch (const Error&) {
    // What cannot be read is not learned, and is copied again.
  }
}

// Both trees have the same names in the same order.
void Copier::learn_tree(const index::TreeId& from, const index::TreeId& to) {
  if (trees_.contains(from)) return;
  const Tree source = read_tree(source_.objects(), from);
  const Tree target = read_tree(target_.objects(), to);
  if (source.entries().size() != target.entries().size()) return;
  for (size_t i = 0; i < source.entries().size(); ++i) {
    const TreeEntry& one = source.entries()[i];
    const TreeEntry& other = target.entries()[i];
    if (one.name != other.name || one.kind != other.kind || one.size != other.size) return;
    if (one.kind == EntryKind::kDirectory)
      learn_tree(one.directory(), other.directory());
    else if (writer_.holding_of(other.file()) == index::Holding::kAll)
      files_.emplace(one.file(), other.file());
  }
}

std::vector<std::string> Copier::heal(const Manifest& snapshot, const Manifest& copy) {
  std::vector<std::string> lost;
  heal_tree(snapshot.data, copy.data, "data", lost);
  heal_tree(snapshot.meta, copy.meta, "meta", lost);
  if (snapshot.wal && copy.wal) heal_tree(*snapshot.wal, *copy.wal, "wal", lost);
  writer_.flush();
  return lost;
}

void Copier::heal_tree(const index::TreeId& from, const index::TreeId& to, const std::string& path,
                       std::vector<std::string>& lost) {
  if (whole_.holds(to)) return;
  try {
    const Tree source = read_tree(source_.objects(), from);
    std::optional<Tree> target;
    try {
      target = read_tree(target_.objects(), to);
    } catch (const CorruptError&) {
      return require_same(copy_tree(from) == to);
    }
    require_same(std::ranges::equal(source.entries(), target->entries(),
                                    [](const TreeEntry& one, const TreeEntry& other) {
                                      return one.name == other.name && one.kind == other.kind;
                                    }));
    for (size_t i = 0; i < source.entries().size(); ++i)
      heal_entry(source.entries()[i], target->entries()[i],
                 path + "/" + source.entries()[i].name.text(), lost);
  } catch (const CorruptError& error) {
    lost.push_back(quote(path) + ": " + error.what());
  }
}

void Copier::heal_entry(const TreeEntry& from, const TreeEntry& to, const std::string& path,
                        std::vector<std::string>& lost) {
  if (from.kind == EntryKind::kDirectory)
    return heal_tree(from.directory(), to.directory(), path, lost);
  if (whole_.holds_file(to.file())) return;
  try {
    require_same(copy_file(from) == to.file());
  } catch (const CorruptError& error) {
    lost.push_back(quote(path) + ": " + error.what());
  }
}

SnapshotPtr Copier::copy(const Manifest& snapshot) {
  new_bytes_ = 0;
  Manifest made = snapshot;
  made.data = copy_tree(snapshot.data);
  made.meta = copy_tree(snapshot.meta);
  if (snapshot.wal) made.wal = copy_tree(*snapshot.wal);
  writer_.flush();
  made.id = index::random_id<index::SnapshotId>();
  made.original = original_of(snapshot);
  made.parent.reset();
  if (snapshot.parent) {
    Manifest parent;
    parent.id = *snapshot.parent;
    if (const SnapshotPtr there = find_copy(parent)) made.parent = there->id;
  }
  made.new_bytes = new_bytes_;
  const uint64_t stored = writer_.totals().stored_bytes;
  made.stored_bytes = stored - std::exchange(stored_before_, stored);
  return publish_durably(writer_, catalog_, std::move(made));
}

index::TreeId Copier::copy_tree(const index::TreeId& id) {
  if (const auto known = trees_.find(id); known != trees_.end()) return known->second;
  if (stop_.stop_requested()) throw Cancelled();
  std::vector<TreeEntry> entries = read_tree(source_.objects(), id).entries();
  for (TreeEntry& entry : entries) {
    if (entry.kind == EntryKind::kDirectory)
      entry.id = copy_tree(entry.directory());
    else
      entry.id = copy_file(entry);
  }
  const index::TreeId copied = store_tree(writer_, std::move(entries)).id;
  trees_.emplace(id, copied);
  return copied;
}

index::FileId Copier::copy_file(const TreeEntry& entry) {
  if (const auto known = files_.find(entry.file()); known != files_.end()) return known->second;
  const index::FileId id = digest_in_target(entry);
  index::StoredSource source(source_.objects().open_file(entry.file()));
  const index::StoredFile stored =
      writer_.put_file(source, id, index::kind_of_file(entry.name), stop_);
  new_bytes_ += stored.new_bytes;
  files_.emplace(entry.file(), id);
  return id;
}

// Reads the file and holds it against its digest in the source.
index::FileId Copier::digest_in_target(const TreeEntry& entry) {
  index::StoredSource source(source_.objects().open_file(entry.file()));
  index::DigestStream theirs(source_.key()), ours(writer_.digest_key());
  for (uint64_t offset = 0; offset < source.size(); offset += kCopyBytes) {
    if (stop_.stop_requested()) throw Cancelled();
    const ByteView bytes =
        source.view(offset, std::min<uint64_t>(kCopyBytes, source.size() - offset));
    theirs.update(bytes);
    ours.update(bytes);
  }
  if (theirs.file_id() != entry.file() || source.size() != entry.size)
    throw CorruptError(fmt::format("{} is damaged: its digest is wrong", entry.name),
                       "run tsmfs check --read-data on the repository it is in");
  return ours.file_id();
}

}  // namespace tsmfs::snapshot
