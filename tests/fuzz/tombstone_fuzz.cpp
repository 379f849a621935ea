// The deletions of a tombstone file, in all of its versions: read_tombstone, DeletedRanges.
#include "index/base/error.h"
#include "snapshot/influxdb/tombstone.h"
#include "snapshot/points/deleted_ranges.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/string_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  using namespace tsmfs::fuzz;
  support::StringStream stream{std::string(as_text(input_bytes(data, size)))};
  const snapshot::TombstoneLimits limits{3, 1 << 20};
  takes<CorruptError>([&] {
    const auto found = snapshot::read_tombstone(stream, "input", limits);
    require(found.series.size() <= limits.series_max, "no more series than were asked for");
    require(found.version <= 4, "a version that there is");
  });
  takes<CorruptError>([&] {
    support::StringStream again{std::string(as_text(input_bytes(data, size)))};
    static const index::DigestKey digests = index::DigestKey::random();
    const snapshot::DeletedRanges ranges(again, "input", digests, {});
    int64_t last = INT64_MIN;
    for (const auto& range : ranges.of("m,t=a#!~#f", digests)) {
      require(range.first_ns <= range.last_ns && range.first_ns >= last, "ranges in order");
      last = range.last_ns;
    }
  });
  return 0;
}
