// TSM files that influxd will not open: with one of them in it, it opens no file of the shard.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/format/recipe.h"
#include "index/repository/object_reader.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"

namespace tsmfs::snapshot {

// Why influxd refuses a file of this name and size; nothing for one that it opens, and for what is
// no TSM file. It takes what is before the first dot: two decimal numbers of 32 bits with a dash
// between them.
std::optional<std::string> why_name_refused(std::string_view file, uint64_t size);

// The same, by the content too.
std::optional<std::string> why_refused(std::string_view file, const index::Recipe& recipe);

// Those of a stored shard, one line each; what cannot be read of the repository is left to whoever
// reads the files. Throws: IoError.
std::vector<std::string> refused_files(index::ObjectReader& objects, const ShardPath& path,
                                       const std::vector<TreeEntry>& files);

}  // namespace tsmfs::snapshot
