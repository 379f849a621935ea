// A segment of a write-ahead log: read_wal_times, and the points that it leaves: LogPoints.
#include "index/tsm/tsm_index.h"
#include "snapshot/influxdb/wal_times.h"
#include "snapshot/points/log_points.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  using namespace tsmfs::fuzz;
  index::MemorySource source(input_bytes(data, size));
  index::TsmFieldTypes fields;
  const snapshot::WalTimes found = snapshot::read_wal_times(source, &fields);
  for (const auto& [field, types] : fields) {
    require(!field.empty() && !types.empty(), "a field has a name and a type");
    require(*types.rbegin() <= index::kTsmUnsignedType, "the type is one of TSM blocks");
  }
  require(!found.points || found.points->first <= found.points->last, "times in order");
  require(size > 0 || found.whole, "nothing is whole");
  snapshot::LogPoints log;
  require((log.add(source, {}) == size) == found.whole, "one answer to whether it is whole");
  log.finish();
  for (const auto& [key, points] : log.keys()) {
    require(!points.times_ns.empty(), "a key has points");
    require(found.points && points.times_ns.front() >= found.points->first.unix_ns &&
                points.times_ns.back() <= found.points->last.unix_ns,
            "what is left was written");
  }
  return 0;
}
