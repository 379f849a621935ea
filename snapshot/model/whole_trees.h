// Whether all of a snapshot is there, as far as the lookup and the beginnings of packs tell without
// reading the content: what damage or a repair took away is not.
#pragma once

#include <stop_token>
#include <unordered_set>
#include <utility>

#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "snapshot/model/manifest.h"

namespace tsmfs::snapshot {

// Looks at each node once, so that many snapshots cost what they differ by. Not thread safe.
// Requires: all references outlive it; `writer` is the repository's.
class WholeTrees {
 public:
  WholeTrees(index::Repository& repository, const index::RepositoryWriter& writer,
             std::stop_token stop)
      : repository_(repository), writer_(writer), stop_(std::move(stop)) {}
  // Throws: IoError; Cancelled.
  bool holds(const Manifest& snapshot);
  bool holds(const index::TreeId& id);
  bool holds_file(const index::FileId& id) const;

 private:
  index::Repository& repository_;
  const index::RepositoryWriter& writer_;
  std::stop_token stop_;
  std::unordered_set<index::TreeId, index::IdHash> whole_;
};

}  // namespace tsmfs::snapshot
