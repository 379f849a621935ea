#include "snapshot/points/log_points.h"

#include <algorithm>

#include "index/base/error.h"
#include "snapshot/points/times_in_order.h"

namespace tsmfs::snapshot {

namespace {

constexpr uint64_t kVisitsBetweenStops = 1 << 10;

}  // namespace

uint64_t LogPoints::add(index::ByteSource& segment, const std::stop_token& stop) {
  stop_ = stop;
  return read_wal_entries(segment, *this);
}

void LogPoints::finish() {
  for (auto& [key, points] : keys_) put_in_order(points.times_ns);
}

void LogPoints::write(std::string_view key, uint8_t type, std::span<const int64_t> times_ns) {
  require_going_on();
  auto found = keys_.find(key);
  if (found == keys_.end()) found = keys_.emplace(key, Key{type, {}}).first;
  if (found->second.type != type) {
    conflicts_.emplace(key);
    return;
  }
  std::vector<int64_t>& all = found->second.times_ns;
  all.insert(all.end(), times_ns.begin(), times_ns.end());
}

void LogPoints::remove(std::string_view key, int64_t first_ns, int64_t last_ns) {
  require_going_on();
  const auto found = keys_.find(key);
  if (found == keys_.end()) return;
  std::erase_if(found->second.times_ns,
                [&](int64_t time) { return time >= first_ns && time <= last_ns; });
  if (found->second.times_ns.empty()) keys_.erase(found);
}

void LogPoints::require_going_on() {
  if (++visits_ % kVisitsBetweenStops == 0 && stop_.stop_requested()) throw Cancelled();
}

}  // namespace tsmfs::snapshot
