// Metastore::parse: a consistent view of any protobuf, or CorruptError.
#include <optional>

#include "index/base/error.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/influxdb/shard_choice.h"
#include "tests/fuzz/fuzz_target.h"

namespace tsmfs::fuzz {
namespace {

using namespace snapshot;

void check_shards(const Metastore& metastore) {
  for (const MetaDatabase& database : metastore.databases()) {
    require(metastore.find_database(database.name) == &database, "a database is found by its name");
    for (const MetaPolicy& policy : database.policies)
      for (const MetaShardGroup& group : policy.groups)
        for (const uint64_t id : group.shards) {
          const auto place = metastore.find_shard(id);
          require(place && place->database && place->policy && place->group,
                  "a shard is found by its number");
          require(group.deleted || !place->group->deleted,
                  "a shard that lives hides a deleted one");
        }
  }
}

// No name comes out of a choice but one that can stand in a directory.
void check_choice(const Metastore& metastore) {
  takes<CorruptError>([&] {
    for (const auto& [id, path] : choose_shards(metastore, {})) {
      require(is_valid_name(path.database) && is_valid_name(path.policy),
              "the names of a chosen shard can stand in a directory");
      require(metastore.has_shard(path), "a chosen shard is there");
    }
  });
}

}  // namespace
}  // namespace tsmfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  fuzz::takes<CorruptError>([&] {
    const auto metastore = snapshot::Metastore::parse(fuzz::input_bytes(data, size), "input");
    fuzz::check_shards(metastore);
    fuzz::check_choice(metastore);
  });
  return 0;
}
