// A part of a metastore, for a server that is to take some databases, policies or shards only.
#pragma once

#include <cstdint>
#include <set>
#include <string_view>

#include "index/base/bytes.h"
#include "snapshot/model/filter.h"

namespace tsmfs::snapshot {

enum class Subscriptions { kKeep, kDrop };

// `meta_db` with the databases and policies that the filter lets through and, of their shard
// groups, those that have a shard of `shards` and have not been deleted. With a filter for one
// shard, policies and databases without it go too. A default policy that has gone gives way to one
// that is there. Users are left out, and subscriptions unless they are wanted. Throws:
// CorruptError, naming `object`.
ByteBuffer metastore_subset(ByteView meta_db, const Filter& filter,
                            const std::set<uint64_t>& shards, std::string_view object,
                            Subscriptions subscriptions = Subscriptions::kKeep);

// The metastore's count of node ids, which a portable backup names. Throws: CorruptError.
uint64_t metastore_max_node_id(ByteView meta_db, std::string_view object);

}  // namespace tsmfs::snapshot
