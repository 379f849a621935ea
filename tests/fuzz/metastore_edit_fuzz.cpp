// filter_metastore, merge_metastore, metastore_subset: of any two metastores a sound one is made,
// which has the shards that were moved, in memory that their size bounds; or they are refused.
//
// An input is a byte of choices, the length of the target's metastore (2 bytes, big-endian), that
// metastore, and the snapshot's.
#include <algorithm>
#include <set>

#include "index/base/error.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/influxdb/metastore_edit.h"
#include "snapshot/influxdb/metastore_subset.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/memory_limit.h"

namespace tsmfs::fuzz {
namespace {

using namespace snapshot;

// A field of two bytes can become a message of some 200, and there are several metastores at a
// time, one of which may be parsed.
size_t memory_for(size_t input_bytes) {
  return (size_t{1} << 20) + 1024 * input_bytes + kMetastoreClaimMax;
}

// By the bits: its first database, policy and shard, and other names.
MetaChoice choice_of(uint8_t bits, const Metastore& snapshot) {
  MetaChoice choice;
  if (snapshot.databases().empty()) return choice;
  const MetaDatabase& database = snapshot.databases().front();
  if (bits & 1) choice.filter.databases = {database.name};
  if ((bits & 2) && !database.policies.empty()) {
    const MetaPolicy& policy = database.policies.front();
    choice.filter.policy = policy.name;
    if ((bits & 4) && !policy.groups.empty() && !policy.groups.front().shards.empty())
      choice.filter.shard = policy.groups.front().shards.front();
  }
  if (bits & 8) choice.new_database = "renamed";
  if (bits & 16) choice.new_policy = "other";
  return choice;
}

void check(const MetaEdit& edit) {
  const Metastore made = Metastore::parse(as_bytes(edit.protobuf), "result");
  for (const auto& [number, path] : edit.moves)
    require(made.find_shard(path.shard).has_value(), "a shard that was moved is found");
}

// Refused, or what `edit` makes is sound.
template <typename Edit>
void try_edit(size_t input_bytes, const Edit& edit) {
  const MemoryLimit limit(memory_for(input_bytes));
  try {
    edit();
  } catch (const CorruptError&) {
  } catch (const UsageError&) {
  }
}

}  // namespace
}  // namespace tsmfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  using namespace tsmfs::fuzz;
  ByteView input = input_bytes(data, size);
  if (input.size() < 3) return 0;
  const auto bits = std::to_integer<uint8_t>(input[0]);
  const size_t length = load_be<uint16_t>(input.data() + 1);
  input = input.subspan(3);
  const ByteView target = input.first(std::min(length, input.size()));
  const ByteView snapshot = input.subspan(target.size());
  snapshot::MetaChoice choice;
  if (!takes<CorruptError>(
          [&] { choice = choice_of(bits, snapshot::Metastore::parse(snapshot, "snapshot")); }))
    return 0;
  const snapshot::ShardsOnDisk on_disk = {{1, {"db", "rp", 1}}, {3, {"other", "rp", 3}}};
  try_edit(size, [&] { check(snapshot::filter_metastore(snapshot, choice, on_disk)); });
  try_edit(size,
           [&] { check(snapshot::merge_metastore(target, "target", snapshot, choice, on_disk)); });
  try_edit(size, [&] {
    const ByteBuffer part =
        snapshot::metastore_subset(snapshot, choice.filter, {1, 2, 3}, "subset");
    snapshot::Metastore::parse(part, "part");
  });
  return 0;
}
