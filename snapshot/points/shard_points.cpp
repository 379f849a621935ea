#include "snapshot/points/shard_points.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "index/base/damage.h"
#include "index/base/error.h"
#include "index/base/quote.h"
#include "index/base/timestamp.h"
#include "index/tsm/tsm_fields.h"

namespace tsmfs::snapshot {

namespace {

constexpr uint64_t kKeysBetweenStops = 1 << 10;

class ShardCount {
 public:
  ShardCount(index::ObjectReader& objects, const ShardFiles& files, const TakesMeasurement& takes,
             const std::optional<GroupTimes>& group, const index::DigestKey& digests,
             const std::stop_token& stop)
      : takes_(takes),
        group_(group),
        digests_(digests),
        stop_(stop),
        problems_((files.data ? files.data : files.log)->path),
        keys_(objects, files, digests, problems_, stop) {}

  ShardPoints run() {
    for (uint64_t number = 0; keys_.next(); ++number) {
      if (number % kKeysBetweenStops == 0) require_going_on();
      count_key();
    }
    finish_measurements();
    tell_of_misplaced();
    result_.problems = problems_.take();
    return std::move(result_);
  }

 private:
  struct Field {
    std::optional<uint8_t> type;
    bool conflict = false;
    CountedPoints points;
  };
  struct Measurement {
    std::string name;  // as people write it
    bool wanted = false;
    std::map<std::string, Field, std::less<>> fields;
  };

  void count_key();
  void gather_blocks();
  void enter_series(std::string_view series);
  bool is_found(const std::string& measurement);
  void note_type(Field& field, uint8_t type);
  void note_misplaced(const CountedPoints& points);
  void tell_of_misplaced();
  bool has_points_for_sure() const;
  CountedPoints count_points();
  void read_block(const KeyBlock& block, std::vector<int64_t>& times_ns);
  void finish_measurements();
  void require_going_on() const {
    if (stop_.stop_requested()) throw Cancelled();
  }
  void block_problem(const KeyBlock& block, std::string_view what) {
    problems_.add(keys_.file(block.file).name(),
                  fmt::format("its block at byte {}, of {}: {}", block.entry.offset,
                              quote(keys_.key()), what));
  }

  const TakesMeasurement& takes_;
  const std::optional<GroupTimes>& group_;
  const index::DigestKey& digests_;
  const std::stop_token& stop_;
  ShardProblems problems_;
  ShardKeys keys_;
  std::map<std::string, Measurement, std::less<>> measurements_;  // by their names in keys
  // Of the series that is read: its keys come one behind the other.
  std::string series_;
  Measurement* measurement_ = nullptr;
  bool series_counted_ = false;
  std::vector<KeyBlock> blocks_;  // of the key
  KeyPoints key_points_{
      [this](const KeyBlock& block, std::vector<int64_t>& times) { read_block(block, times); },
      [this](const KeyBlock& block) {
        block_problem(block, "it overlaps too many others; its points are not counted");
      }};
  // Keys that have points outside of the group's times: how many, one of them, its points.
  uint64_t misplaced_ = 0;
  std::string misplaced_key_;
  CountedPoints misplaced_points_;
  ShardPoints result_;
};

void ShardCount::count_key() {
  const std::string_view key = keys_.key();
  const size_t separator = key.find(index::kTsmFieldSeparator);
  if (separator == std::string_view::npos) {
    problems_.add("", fmt::format("it has a key without a field, {}: its points are not counted",
                                  quote(key)));
    return;
  }
  enter_series(key.substr(0, separator));
  if (series_counted_ && !measurement_->wanted) return;
  gather_blocks();
  if (measurement_->wanted) {
    const std::string_view name = key.substr(separator + index::kTsmFieldSeparator.size());
    auto found = measurement_->fields.find(name);
    if (found == measurement_->fields.end())
      found = measurement_->fields.emplace(std::string(name), Field()).first;
    for (const KeyBlock& block : blocks_) note_type(found->second, keys_.file(block.file).type());
    if (keys_.log()) note_type(found->second, keys_.log()->type);
    const CountedPoints points = count_points();
    found->second.points.add(points);
    if (points.count == 0) return;
    note_misplaced(points);
  } else if (!has_points_for_sure() && count_points().count == 0) {
    return;
  }
  if (std::exchange(series_counted_, true)) return;
  result_.series.push_back(digests_.digest<SeriesId>(as_bytes(series_)));
}

void ShardCount::enter_series(std::string_view series) {
  if (measurement_ && series_ == series) return;
  series_ = series;
  series_counted_ = false;
  const std::string_view escaped = index::escaped_measurement(series);
  auto found = measurements_.find(escaped);
  if (found == measurements_.end()) {
    Measurement added{index::unescape_measurement(escaped), false, {}};
    added.wanted = takes_(added.name) && is_found(added.name);
    found = measurements_.emplace(std::string(escaped), std::move(added)).first;
  }
  measurement_ = &found->second;
}

// influxd looks for a series by its name unescaped twice and escaped once (models/points.go,
// MakeKey; 1.4 to 1.11): it lists one that this changes, and finds none of its points.
bool ShardCount::is_found(const std::string& measurement) {
  if (index::unescape_measurement(measurement) == measurement) return true;
  result_.unfound.insert(measurement);
  return false;
}

void ShardCount::gather_blocks() {
  blocks_.clear();
  for (const size_t number : keys_.files()) {
    const PointFile& file = keys_.file(number);
    const auto deleted = file.deleted(digests_);
    for (const index::TsmBlockEntry& entry : file.blocks())
      if (const KeyBlock block{entry, number, deleted}; !is_deleted_whole(block))
        blocks_.push_back(block);
  }
}

void ShardCount::note_type(Field& field, uint8_t type) {
  if (field.type.value_or(type) != type && !std::exchange(field.conflict, true))
    problems_.add("",
                  fmt::format("it has points of two types, as {}: influxd does not open the shard",
                              quote(keys_.key())));
  field.type = field.type.value_or(type);
}

void ShardCount::note_misplaced(const CountedPoints& points) {
  if (!group_ || group_->has(points) || misplaced_++ > 0) return;
  misplaced_key_ = keys_.key();
  misplaced_points_ = points;
}

void ShardCount::tell_of_misplaced() {
  if (misplaced_ == 0) return;
  problems_.add(
      "", fmt::format("it has points outside the times of its shard group, {} to {}, which queries "
                      "with a time range do not find: {} of its keys, {} for instance, whose "
                      "points are of {} to {}",
                      format_rfc3339_ns({group_->start_ns}), format_rfc3339_ns({group_->end_ns}),
                      misplaced_, quote(misplaced_key_),
                      format_rfc3339_ns({misplaced_points_.first_ns}),
                      format_rfc3339_ns({misplaced_points_.last_ns})));
}

// What the index says, where nothing is deleted.
bool ShardCount::has_points_for_sure() const {
  return keys_.log() != nullptr ||
         std::ranges::any_of(blocks_, [](const KeyBlock& block) { return block.deleted.empty(); });
}

CountedPoints ShardCount::count_points() {
  return key_points_.count(
      blocks_, keys_.log() ? std::span(keys_.log()->times_ns) : std::span<const int64_t>());
}

void ShardCount::read_block(const KeyBlock& block, std::vector<int64_t>& times_ns) {
  require_going_on();
  std::string problem;
  const auto damage =
      find_damage([&] { problem = keys_.file(block.file).read_times(block.entry, times_ns); });
  if (damage) {
    times_ns.clear();
    problem = damage->what;
  }
  if (problem.empty()) return;
  if (times_ns.empty()) problem += "; its points are not counted";
  block_problem(block, problem);
}

void ShardCount::finish_measurements() {
  for (auto& [escaped, measurement] : measurements_)
    for (auto& [name, field] : measurement.fields)
      if (field.points.count > 0)
        result_.measurements[measurement.name][name][*field.type].add(field.points);
}

}  // namespace

ShardPoints count_shard_points(index::ObjectReader& objects, const ShardFiles& files,
                               const TakesMeasurement& takes,
                               const std::optional<GroupTimes>& group,
                               const index::DigestKey& digests, const std::stop_token& stop) {
  return ShardCount(objects, files, takes, group, digests, stop).run();
}

}  // namespace tsmfs::snapshot
