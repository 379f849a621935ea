// The directories of a restore's target: held, made where they are missing, and given to their
// owner.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "index/base/held_directory.h"
#include "snapshot/restore/restore_plan.h"

namespace tsmfs::snapshot {

// The wanted owner, or whom a directory belongs to. When root acts there with somebody else's
// rights (a link led there), that user; for another process, a group that it is in.
FileOwner owner_in(const Directory& directory, const Owner& wanted);

// As Directory::reach(); what an explicit owner has there is open to root.
Directory::Reached reach_target(const std::filesystem::path& target, const Owner& wanted);

// The directory of a shard below a data directory; nothing when it is absent, or a link or a file.
std::optional<Directory> find_shard_directory(const Directory& data, const ShardPath& shard);

// A data directory or a meta directory. Not thread safe; the directories that it gives out are.
// Destroyed, it removes again what it made in vain: what is empty.
class RestoreTree {
 public:
  // Makes the target, and what is missing above it. Throws: IoError, UsageError.
  RestoreTree(const std::filesystem::path& target, const Owner& wanted);
  RestoreTree(const RestoreTree&) = delete;
  RestoreTree& operator=(const RestoreTree&) = delete;
  ~RestoreTree();

  const Directory& root() const { return *root_; }
  const FileOwner& owner() const { return owner_; }
  // The directory of a shard's policy, made if it is missing, and durable then.
  std::shared_ptr<const Directory> policy_of(const ShardPath& shard);

 private:
  Directory make(const Directory& parent, const std::string& name) const;
  // Of a directory below the target: a database, or one of its policies.
  struct Made {
    Name database;
    std::optional<Name> policy;
  };
  Directory find_or_make(const Directory& parent, const Name& name, const Made& made);
  void remove_vain() noexcept;

  FileOwner owner_;
  std::optional<Directory> root_;                              // there as soon as it is constructed
  std::vector<std::pair<Directory, std::string>> made_above_;  // the target last
  std::vector<Made> made_below_;   // in order; by name, since there may be many
  std::optional<ShardPath> last_;  // whose policy `policy_` is
  std::shared_ptr<const Directory> policy_;
};

}  // namespace tsmfs::snapshot
