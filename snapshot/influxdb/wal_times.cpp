#include "snapshot/influxdb/wal_times.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "snapshot/influxdb/wal_entries.h"

namespace tsmfs::snapshot {

namespace {

class TimesSeen : public WalVisitor {
 public:
  explicit TimesSeen(index::TsmFieldTypes* fields) : fields_(fields) {}

  void write(std::string_view key, uint8_t type, std::span<const int64_t> times_ns) override {
    const auto [first, last] = std::ranges::minmax(times_ns);
    if (!points) points = {{first}, {last}};
    points->first = std::min(points->first, Timestamp{first});
    points->last = std::max(points->last, Timestamp{last});
    if (!fields_) return;
    if (std::string field = index::field_of_key(key); !field.empty())
      (*fields_)[std::move(field)].insert(type);
  }

  std::optional<ShardTimes> points;

 private:
  index::TsmFieldTypes* fields_;
};

}  // namespace

WalTimes read_wal_times(index::ByteSource& source, index::TsmFieldTypes* fields) {
  TimesSeen seen(fields);
  const bool whole = read_wal_entries(source, seen) == source.size();
  return {seen.points, whole};
}

}  // namespace tsmfs::snapshot
