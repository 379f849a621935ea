// A segment of a write-ahead log: read_wal_times.
#include "snapshot/influxdb/wal_times.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  using namespace tsmfs::fuzz;
  index::MemorySource source(input_bytes(data, size));
  const snapshot::WalTimes found = snapshot::read_wal_times(source);
  require(!found.points || found.points->first <= found.points->last, "times in order");
  require(size > 0 || found.whole, "nothing is whole");
  return 0;
}
