#include "snapshot/points/key_points.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace tsmfs::snapshot {

namespace {

constexpr auto kLater = [](const auto& one, const auto& other) {
  return one.time() > other.time();
};

}  // namespace

bool is_deleted_whole(const KeyBlock& block) {
  const auto behind =
      std::ranges::upper_bound(block.deleted, block.entry.min_time_ns, {}, &DeletedRange::first_ns);
  return behind != block.deleted.begin() && std::prev(behind)->last_ns >= block.entry.max_time_ns;
}

void CountedPoints::add(const CountedPoints& other) {
  if (other.count == 0) return;
  first_ns = count == 0 ? other.first_ns : std::min(first_ns, other.first_ns);
  last_ns = count == 0 ? other.last_ns : std::max(last_ns, other.last_ns);
  count += other.count;
}

CountedPoints KeyPoints::count(std::vector<KeyBlock>& blocks,
                               std::span<const int64_t> log_times_ns) {
  counted_ = {};
  log_ = log_times_ns;
  std::ranges::sort(blocks, {}, [](const KeyBlock& block) {
    return std::tuple(block.entry.min_time_ns, block.file, block.entry.offset);
  });
  std::vector<int64_t> alone;
  for (std::span<const KeyBlock> rest = blocks; !rest.empty() || !open_.empty();) {
    if (open_.empty()) {
      take_log_before(rest.front().entry.min_time_ns);
      if (is_alone(rest)) {
        read_block(rest.front(), alone);
        add_all(alone);
      } else {
        open(rest.front());
      }
      rest = rest.subspan(1);
    } else if (!rest.empty() && rest.front().entry.min_time_ns <= open_.front().time()) {
      open(rest.front());
      rest = rest.subspan(1);
    } else {
      take_earliest();
    }
  }
  add_all(log_);
  return counted_;
}

// Whether no other block, and no point of the log, has times between its first and its last.
bool KeyPoints::is_alone(std::span<const KeyBlock> rest) const {
  const int64_t last_ns = rest.front().entry.max_time_ns;
  return (rest.size() == 1 || rest[1].entry.min_time_ns > last_ns) &&
         (log_.empty() || log_.front() > last_ns);
}

void KeyPoints::read_block(const KeyBlock& block, std::vector<int64_t>& times) {
  read_(block, times);
  remove_deleted(times, block.deleted);
}

void KeyPoints::open(const KeyBlock& block) {
  Open opened;
  if (!spare_.empty()) {
    opened.times = std::move(spare_.back());
    spare_.pop_back();
  }
  read_block(block, opened.times);
  const bool fits = held_ + opened.times.size() <= kHeldTimesMax;
  if (!fits) too_many_(block);
  if (!fits || opened.times.empty()) {
    spare_.push_back(std::move(opened.times));
    return;
  }
  held_ += opened.times.size();
  open_.push_back(std::move(opened));
  std::ranges::push_heap(open_, kLater);
}

void KeyPoints::take_log_before(int64_t time_ns) {
  const auto end = std::ranges::lower_bound(log_, time_ns);
  add_all({log_.begin(), end});
  log_ = {end, log_.end()};
}

void KeyPoints::take_earliest() {
  std::ranges::pop_heap(open_, kLater);
  Open& earliest = open_.back();
  take_log_before(earliest.time());
  add(earliest.time());
  if (!log_.empty() && log_.front() == earliest.time()) log_ = log_.subspan(1);
  if (++earliest.next < earliest.times.size()) {
    std::ranges::push_heap(open_, kLater);
    return;
  }
  held_ -= earliest.times.size();
  if (spare_.size() < open_.size() + 1) spare_.push_back(std::move(earliest.times));
  open_.pop_back();
}

// Times come in order, but for those of a block whose index lies, which is a problem already.
void KeyPoints::add(int64_t time_ns) {
  if (counted_.count > 0 && time_ns <= counted_.last_ns) return;
  counted_.add({1, time_ns, time_ns});
}

void KeyPoints::add_all(std::span<const int64_t> times_ns) {
  if (times_ns.empty()) return;
  if (counted_.count > 0 && times_ns.front() <= counted_.last_ns) {
    for (const int64_t time : times_ns) add(time);
  } else {
    counted_.add({times_ns.size(), times_ns.front(), times_ns.back()});
  }
}

}  // namespace tsmfs::snapshot
