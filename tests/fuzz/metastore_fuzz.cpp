// Metastore::parse: a consistent view of any protobuf, or CorruptError.
#include <optional>

#include "index/base/error.h"
#include "snapshot/metastore.h"
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
        }
  }
}

}  // namespace
}  // namespace tsmfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  fuzz::takes<CorruptError>([&] {
    fuzz::check_shards(snapshot::Metastore::parse(fuzz::input_bytes(data, size), "input"));
  });
  return 0;
}
