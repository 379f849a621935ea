// Copies snapshots from one repository into another, every byte of them checked by its digest.
//
// Two repositories have different digest secrets: all ids are made anew, and what the target has
// already is found by them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/tree.h"
#include "snapshot/model/whole_trees.h"

namespace tsmfs::snapshot {

// Not thread safe. Requires: all references outlive it; `target` was opened for writing and
// `writer` is its writer.
class Copier {
 public:
  Copier(index::Repository& source, index::Repository& target, index::RepositoryWriter& writer,
         Catalog& target_catalog, std::stop_token stop);

  // The copy of a snapshot that is there already; null when there is none. A copy of a copy counts
  // as one of the first original.
  SnapshotPtr find_copy(const Manifest& snapshot) const;
  // Learns what a copy made earlier has of its original, so that this is not read again.
  void learn(const Manifest& snapshot, const Manifest& copy);
  // Whether the target has all that a snapshot of its own needs (whole_trees.h).
  bool is_whole(const Manifest& copy) { return whole_.holds(copy); }
  // Stores again what the target has lost of a copy. What cannot be had, a line each; nothing when
  // the copy is whole now. Throws: IoError; Cancelled.
  std::vector<std::string> heal(const Manifest& snapshot, const Manifest& copy);
  // The copy, published. Throws: CorruptError when the source is damaged; IoError; Cancelled.
  // Nothing is published then.
  SnapshotPtr copy(const Manifest& snapshot);

 private:
  index::TreeId copy_tree(const index::TreeId& id);
  index::FileId copy_file(const TreeEntry& entry);
  index::FileId digest_in_target(const TreeEntry& entry);
  void learn_tree(const index::TreeId& from, const index::TreeId& to);
  void heal_tree(const index::TreeId& from, const index::TreeId& to, const std::string& path,
                 std::vector<std::string>& lost);
  void heal_entry(const TreeEntry& from, const TreeEntry& to, const std::string& path,
                  std::vector<std::string>& lost);
  Original original_of(const Manifest& snapshot) const;

  index::Repository& source_;
  index::Repository& target_;
  index::RepositoryWriter& writer_;
  Catalog& catalog_;
  std::stop_token stop_;
  uint64_t stored_before_ = 0;
  uint64_t new_bytes_ = 0;  // of the snapshot being copied
  std::unordered_map<index::TreeId, index::TreeId, index::IdHash> trees_;
  std::unordered_map<index::FileId, index::FileId, index::IdHash> files_;
  WholeTrees whole_;  // of the target
};

}  // namespace tsmfs::snapshot
