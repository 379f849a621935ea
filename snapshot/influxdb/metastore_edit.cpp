#include "snapshot/influxdb/metastore_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "snapshot/influxdb/metastore_message.h"
#include "snapshot/influxdb/metastore_part.h"
#include "snapshot/influxdb/server_settings.h"

namespace tsmfs::snapshot {

namespace {

constexpr const char* kSnapshotName = "the snapshot's metastore";

// Adds databases of a snapshot to a metastore.
class Merger {
 public:
  Merger(metastore::Data& target, const metastore::Data& snapshot, const MetaChoice& choice,
         const ShardsOnDisk& on_disk)
      : target_(target), choice_(choice), part_(choice.filter), on_disk_(on_disk) {
    note_numbers(target, true);
    note_numbers(snapshot, false);
    for (const auto& [id, path] : on_disk) shard_id_max_ = std::max(shard_id_max_, id);
  }

  void add(const metastore::DatabaseInfo& from);
  ShardMoves take_moves() { return std::move(moves_); }
  std::vector<std::string> take_notes() { return std::move(notes_); }
  // Raises the target's counters above every number in use.
  void finish();

 private:
  void note_numbers(const metastore::Data& data, bool in_use);
  metastore::DatabaseInfo& make_database(const metastore::DatabaseInfo& from, const Name& name);
  void add_policy(const metastore::RetentionPolicyInfo& from, const Name& database_name,
                  metastore::DatabaseInfo& database);
  // `place` is of the policy in the target; its number means nothing.
  void add_groups(const metastore::RetentionPolicyInfo& from, const ShardPath& place,
                  metastore::RetentionPolicyInfo& policy);
  metastore::ShardGroupInfo* find_group(const metastore::ShardGroupInfo& from,
                                        metastore::RetentionPolicyInfo& policy) const;
  void add_group(const metastore::ShardGroupInfo& from, ShardPath to,
                 metastore::RetentionPolicyInfo& policy);
  void join_group(const metastore::ShardGroupInfo& from, ShardPath to,
                  metastore::ShardGroupInfo& group);
  void add_shard(const metastore::ShardInfo& from, ShardPath to, metastore::ShardGroupInfo& group);
  void note_overlap(const metastore::ShardGroupInfo& group, const ShardPath& place,
                    const metastore::RetentionPolicyInfo& policy);
  bool renames() const { return choice_.new_database || choice_.new_policy; }

  metastore::Data& target_;
  const MetaChoice& choice_;
  const MetastorePart part_;
  const ShardsOnDisk& on_disk_;
  std::unordered_set<uint64_t> group_ids_, shard_ids_;  // in use in the target
  uint64_t group_id_max_ = 0, shard_id_max_ = 0;        // of both, so that a fresh number is new
  std::unordered_set<const metastore::ShardGroupInfo*> joined_;
  ShardMoves moves_;
  std::vector<std::string> notes_;
};

void Merger::note_numbers(const metastore::Data& data, bool in_use) {
  group_id_max_ = std::max(group_id_max_, data.maxshardgroupid());
  shard_id_max_ = std::max(shard_id_max_, data.maxshardid());
  for (const auto& database : data.databases())
    for (const auto& policy : database.retentionpolicies())
      for (const auto& group : policy.shardgroups()) {
        group_id_max_ = std::max(group_id_max_, group.id());
        if (in_use) group_ids_.insert(group.id());
        for (const auto& shard : group.shards()) {
          shard_id_max_ = std::max(shard_id_max_, shard.id());
          if (in_use) shard_ids_.insert(shard.id());
        }
      }
}

void Merger::add(const metastore::DatabaseInfo& from) {
  // choose_shards() has refused what is no name.
  const Name name =
      choice_.new_database ? *choice_.new_database : Name::require(from.name(), kSnapshotName);
  auto* databases = target_.mutable_databases();
  const auto found = std::ranges::find_if(*databases, [&](auto& d) { return name == d.name(); });
  metastore::DatabaseInfo& database =
      found == databases->end() ? make_database(from, name) : *found;
  for (const auto& policy : from.retentionpolicies())
    if (part_.takes(policy)) add_policy(policy, name, database);
  mend_default_policy(database);
}

metastore::DatabaseInfo& Merger::make_database(const metastore::DatabaseInfo& from,
                                               const Name& name) {
  metastore::DatabaseInfo& database = *target_.add_databases();
  database.CopyFrom(from);
  database.set_name(name.text());
  database.clear_retentionpolicies();
  if (choice_.new_policy) database.clear_defaultretentionpolicy();
  // They name the original, and would go on writing to it.
  if (renames()) database.clear_continuousqueries();
  return database;
}

void Merger::add_policy(const metastore::RetentionPolicyInfo& from, const Name& database_name,
                        metastore::DatabaseInfo& database) {
  const Name name =
      choice_.new_policy ? *choice_.new_policy : Name::require(from.name(), kSnapshotName);
  const ShardPath place{database_name, name, 0};
  auto* policies = database.mutable_retentionpolicies();
  const auto found = std::ranges::find_if(*policies, [&](auto& p) { return name == p.name(); });
  if (found != policies->end()) return add_groups(from, place, *found);
  metastore::RetentionPolicyInfo& policy = *policies->Add();
  policy.CopyFrom(from);
  policy.set_name(name.text());
  policy.clear_shardgroups();
  // A copy under another name must not send what is written to it where the original sends its own.
  if (renames() && !choice_.with_subscriptions) policy.clear_subscriptions();
  add_groups(from, place, policy);
}

void Merger::add_groups(const metastore::RetentionPolicyInfo& from, const ShardPath& place,
                        metastore::RetentionPolicyInfo& policy) {
  for (const auto& group : from.shardgroups()) {
    if (!part_.takes(group)) continue;
    if (auto* same = find_group(group, policy)) {
      joined_.insert(same);
      join_group(group, place, *same);
    } else {
      add_group(group, place, policy);
    }
  }
  auto* groups = policy.mutable_shardgroups();
  std::stable_sort(groups->pointer_begin(), groups->pointer_end(),
                   [](auto* left, auto* right) { return left->starttime() < right->starttime(); });
}

// A truncated group and its successor can have one range: the number decides then.
metastore::ShardGroupInfo* Merger::find_group(const metastore::ShardGroupInfo& from,
                                              metastore::RetentionPolicyInfo& policy) const {
  metastore::ShardGroupInfo* found = nullptr;
  for (auto& group : *policy.mutable_shardgroups()) {
    if (group.deletedat() != 0 || group.starttime() != from.starttime() ||
        group.endtime() != from.endtime() || joined_.contains(&group))
      continue;
    if (group.id() == from.id()) return &group;
    if (!found) found = &group;
  }
  return found;
}

void Merger::add_group(const metastore::ShardGroupInfo& from, ShardPath to,
                       metastore::RetentionPolicyInfo& policy) {
  note_overlap(from, to, policy);
  metastore::ShardGroupInfo& group = *policy.add_shardgroups();
  group.CopyFrom(from);
  group.clear_shards();
  if (group_ids_.contains(from.id())) group.set_id(++group_id_max_);
  group_ids_.insert(group.id());
  joined_.insert(&group);
  for (const auto& shard : from.shards())
    if (part_.takes_shard(shard.id())) add_shard(shard, to, group);
}

// Shards of one number are the same; others pair by their place in the group.
void Merger::join_group(const metastore::ShardGroupInfo& from, ShardPath to,
                        metastore::ShardGroupInfo& group) {
  const auto& shards = group.shards();
  const int had = shards.size();
  const auto has = [](const auto& list, uint64_t id) {
    return std::ranges::any_of(list, [&](const auto& shard) { return shard.id() == id; });
  };
  for (int i = 0; i < from.shards_size(); ++i) {
    const metastore::ShardInfo& shard = from.shards(i);
    if (!part_.takes_shard(shard.id())) continue;
    if (has(shards, shard.id())) {
      to.shard = shard.id();
    } else if (i < had && !has(from.shards(), shards[i].id())) {
      to.shard = shards[i].id();
    } else {
      add_shard(shard, to, group);
      continue;
    }
    moves_.emplace(shard.id(), to);
  }
}

void Merger::add_shard(const metastore::ShardInfo& from, ShardPath to,
                       metastore::ShardGroupInfo& group) {
  to.shard = from.id();
  const auto disk = on_disk_.find(from.id());
  const bool is_elsewhere = disk != on_disk_.end() && disk->second != to;
  if (shard_ids_.contains(from.id()) || is_elsewhere) to.shard = ++shard_id_max_;
  shard_ids_.insert(to.shard);
  metastore::ShardInfo& shard = *group.add_shards();
  shard.CopyFrom(from);
  shard.set_id(to.shard);
  moves_.emplace(from.id(), std::move(to));
}

void Merger::note_overlap(const metastore::ShardGroupInfo& group, const ShardPath& place,
                          const metastore::RetentionPolicyInfo& policy) {
  for (const auto& other : policy.shardgroups()) {
    if (other.deletedat() != 0 || other.starttime() >= group.endtime() ||
        group.starttime() >= other.endtime() || other.truncatedat() != 0 ||
        group.truncatedat() != 0 || joined_.contains(&other))
      continue;
    notes_.push_back(fmt::format(
        "the shard group from {} to {} of {}.{} overlaps one that is there and has other bounds: "
        "points that both hold are answered twice",
        format_rfc3339({group.starttime()}), format_rfc3339({group.endtime()}),
        quote(place.database), quote(place.policy)));
    return;
  }
}

void Merger::finish() {
  target_.set_index(target_.index() + 1);
  for (const uint64_t id : group_ids_)
    target_.set_maxshardgroupid(std::max(target_.maxshardgroupid(), id));
  for (const uint64_t id : shard_ids_) target_.set_maxshardid(std::max(target_.maxshardid(), id));
}

// Gives the target the users and grants that it lacks. Those that it has keep their password, and
// become no administrators.
void add_users(metastore::Data& target, const metastore::Data& snapshot,
               const MissingSettings& missing) {
  const auto add_grants = [](metastore::UserInfo& to, const User& from) {
    for (const auto& [database, given] : from.grants) {
      auto* grants = to.mutable_privileges();
      auto grant = std::ranges::find(*grants, database, &metastore::UserPrivilege::database);
      auto& changed = grant == grants->end() ? *grants->Add() : *grant;
      const bool joins = changed.has_privilege() && changed.privilege() != 0 &&
                         changed.privilege() != static_cast<int>(given);
      changed.set_database(database);
      changed.set_privilege(static_cast<int>(joins ? Privilege::kAll : given));
    }
  };
  for (const User& user : missing.users) {
    const auto& users = snapshot.users();
    const auto from =
        std::ranges::find_if(users, [&](const auto& u) { return u.name() == user.name; });
    metastore::UserInfo& made = *target.add_users();
    made.CopyFrom(*from);
    made.clear_privileges();
    made.set_admin(user.admin);
    add_grants(made, user);
  }
  for (const User& user : missing.grants)
    for (auto& there : *target.mutable_users())
      if (there.name() == user.name) add_grants(there, user);
}

MetaEdit merge(metastore::Data& target, const metastore::Data& snapshot, const MetaChoice& choice,
               const ShardsOnDisk& on_disk) {
  Merger merger(target, snapshot, choice, on_disk);
  const MetastorePart part(choice.filter);
  for (const auto& database : snapshot.databases())
    if (part.takes(database)) merger.add(database);
  merger.finish();
  return {target.SerializeAsString(), merger.take_moves(), merger.take_notes()};
}

// Users keep their rights on a database that gets another name.
void rename_privileges(metastore::Data& data, const std::string& from, const std::string& to) {
  for (auto& user : *data.mutable_users())
    for (auto& privilege : *user.mutable_privileges())
      if (privilege.database() == from) privilege.set_database(to);
}

bool keeps_numbers(const ShardMoves& moves) {
  return std::ranges::all_of(moves, [](const auto& m) { return m.first == m.second.shard; });
}

}  // namespace

MetaEdit filter_metastore(ByteView snapshot, const MetaChoice& choice,
                          const ShardsOnDisk& on_disk) {
  choose_shards(Metastore::parse(snapshot, kSnapshotName), choice);
  const metastore::Data from = parse_sound_metastore(snapshot, kSnapshotName);
  metastore::Data target = from;
  target.clear_databases();
  const MetastorePart part(choice.filter);
  if (choice.new_database)
    for (const auto& database : from.databases())
      if (part.takes(database)) rename_privileges(target, database.name(), *choice.new_database);
  MetaEdit edit = merge(target, from, choice, on_disk);
  if (choice.is_everything() && keeps_numbers(edit.moves)) edit.protobuf = as_text(snapshot);
  return edit;
}

MetaEdit merge_metastore(ByteView target, std::string_view target_name, ByteView snapshot,
                         const MetaChoice& choice, const ShardsOnDisk& on_disk) {
  choose_shards(Metastore::parse(snapshot, kSnapshotName), choice);
  metastore::Data data = parse_sound_metastore(target, target_name);
  const metastore::Data from = parse_sound_metastore(snapshot, kSnapshotName);
  if (choice.with_users)
    add_users(data, from,
              find_missing(read_settings(snapshot, kSnapshotName), choice,
                           read_settings(target, target_name)));
  return merge(data, from, choice, on_disk);
}

}  // namespace tsmfs::snapshot
