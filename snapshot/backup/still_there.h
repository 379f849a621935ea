// Whether a server still has files of a shard, without fetching them.
//
// An answer to "what is later than …" cannot say what has gone. But a tar names each file before
// its content, so the question is asked from just before a file's own time on, and the connection
// ended when its name has come.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"
#include "snapshot/server/influxd_client.h"

namespace tsmfs::snapshot {

// A TSM file of which the server's shard differs from what is thought: it is one of `files` and
// gone, or of another size; or none of `files` or `others`, and in their midst. Nothing when the
// server has all of `files`, which are TSM files with its own times. Contents of up to some MB come
// along with each question. Throws: ProtocolError, also when the server answers nothing; Cancelled.
std::optional<std::string> find_difference(const InfluxdClient& client, const ShardPath& path,
                                           std::vector<TreeEntry> files,
                                           const std::vector<TreeEntry>& others);

}  // namespace tsmfs::snapshot
