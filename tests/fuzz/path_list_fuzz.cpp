// parse_path_list: sorted, distinct paths of the database that was asked for, or ProtocolError.
//
// The input's first line is the database, the rest is the server's answer.
#include <algorithm>
#include <string>
#include <vector>

#include "index/base/error.h"
#include "snapshot/influxdb/path_list.h"
#include "tests/fuzz/fuzz_target.h"

namespace tsmfs::fuzz {
namespace {

using snapshot::ShardPath;

void check_paths(const snapshot::PathList& list, std::string_view database) {
  const std::vector<ShardPath>& paths = list.shards;
  for (size_t i = 0; i < paths.size(); ++i) {
    require(paths[i].database == database, "a path is of the database");
    require(is_valid_name(paths[i].database) && is_valid_name(paths[i].policy),
            "the names of a path can stand in a directory");
    require(i == 0 || paths[i - 1] < paths[i], "paths are sorted and distinct");
    require(snapshot::parse_shard_path(paths[i].text()) == paths[i], "a path can be read again");
  }
  for (const std::string& path : list.unusable)
    require(!snapshot::parse_shard_path(path), "what is left over is no path of a shard");
}

}  // namespace
}  // namespace tsmfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  const std::string_view input = as_text(fuzz::input_bytes(data, size));
  const size_t line_end = std::min(input.find('\n'), input.size());
  const std::string_view database = input.substr(0, line_end);
  const std::string_view json = input.substr(std::min(line_end + 1, input.size()));
  fuzz::takes<ProtocolError>(
      [&] { fuzz::check_paths(snapshot::parse_path_list(json, database, "input"), database); });
  return 0;
}
