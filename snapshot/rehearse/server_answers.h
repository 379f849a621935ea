// What a server answers of its shards, and of the points of a measurement.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "snapshot/server/query_client.h"

namespace tsmfs::snapshot {

// As SHOW SHARDS has it; nothing of it is checked.
struct AnsweredShard {
  std::string database, policy, id, start;
  auto operator<=>(const AnsweredShard&) const = default;
};
// Throws: ProtocolError, Cancelled.
std::vector<AnsweredShard> ask_shards(QueryClient& server);

// SELECT count(*) of what stands behind it, "FROM m WHERE ...": by field, those that have points.
// Throws: ProtocolError, Cancelled.
std::map<std::string, std::string> ask_counts(QueryClient& server, const std::string& from);

}  // namespace tsmfs::snapshot
