#include "snapshot/restore/restore_tree.h"

#include <algorithm>
#include <exception>

namespace tsmfs::snapshot {

namespace {

constexpr unsigned kMadeDirectoryMode = 0755;  // as the server's own

// For what cleans up after something that is told anyway; a directory that is not empty stays.
template <typename Remove>
void quietly(Remove remove) noexcept {
  try {
    remove();
  } catch (const std::exception&) {
  }
}

bool has_group(const Rights& rights, gid_t group) {
  return rights.group == group || std::ranges::find(rights.groups, group) != rights.groups.end();
}

}  // namespace

FileOwner owner_in(const Directory& directory, const Owner& wanted) {
  const struct stat status = directory.status();
  const Rights& rights = *directory.rights();
  FileOwner owner{status.st_uid, status.st_gid};
  if (process_rights()->user == 0 && rights.user != status.st_uid)
    owner = {rights.user, rights.group};
  // Only root can give files to a group that it is not in.
  if (process_rights()->user != 0 && !has_group(rights, owner.group)) owner.group = rights.group;
  return {wanted.user.value_or(owner.user), wanted.group.value_or(owner.group)};
}

Directory::Reached reach_target(const std::filesystem::path& target, const Owner& wanted) {
  auto reached = Directory::reach(target);
  if (wanted.user) reached.directory.may_act_as(*wanted.user);
  return reached;
}

std::optional<Directory> find_shard_directory(const Directory& data, const ShardPath& shard) {
  const auto database = data.find_directory(shard.database);
  if (!database) return std::nullopt;
  const auto policy = database->find_directory(shard.policy);
  if (!policy) return std::nullopt;
  const std::string name = std::to_string(shard.shard);
  const auto there = policy->status(name);
  if (!there || !S_ISDIR(there->st_mode)) return std::nullopt;
  return policy->enter(name);
}

RestoreTree::RestoreTree(const std::filesystem::path& target, const Owner& wanted) {
  auto reached = reach_target(target, wanted);
  root_ = std::move(reached.directory);
  owner_ = owner_in(*root_, wanted);
  try {
    for (const std::string& name : reached.missing) {
      Directory inner = make(*root_, name);
      made_above_.emplace_back(std::move(*root_), name);
      root_ = std::move(inner);
    }
  } catch (...) {
    remove_vain();
    throw;
  }
}

RestoreTree::~RestoreTree() {
  remove_vain();
}

void RestoreTree::remove_vain() noexcept {
  for (auto made = made_below_.rbegin(); made != made_below_.rend(); ++made)
    quietly([&] {
      if (!made->policy) return root_->remove_empty_directory(made->database);
      const auto database = root_->find_directory(made->database);
      if (database) database->remove_empty_directory(*made->policy);
    });
  for (auto made = made_above_.rbegin(); made != made_above_.rend(); ++made)
    quietly([&] { made->first.remove_empty_directory(made->second); });
}

Directory RestoreTree::make(const Directory& parent, const std::string& name) const {
  Directory made = parent.make_directory(name);
  try {
    made.give(kMadeDirectoryMode, owner_);
    made.sync();
    parent.sync();
  } catch (...) {
    quietly([&] { parent.remove_empty_directory(name); });
    throw;
  }
  return made;
}

Directory RestoreTree::find_or_make(const Directory& parent, const Name& name, const Made& made) {
  if (auto there = parent.find_directory(name)) return std::move(*there);
  Directory fresh = make(parent, name);
  made_below_.push_back(made);
  return fresh;
}

std::shared_ptr<const Directory> RestoreTree::policy_of(const ShardPath& shard) {
  const ShardPath place{shard.database, shard.policy, 0};
  if (policy_ && last_ == place) return policy_;
  const Directory database = find_or_make(*root_, place.database, {place.database, {}});
  policy_ = std::make_shared<const Directory>(
      find_or_make(database, place.policy, {place.database, place.policy}));
  last_ = place;
  return policy_;
}

}  // namespace tsmfs::snapshot
