#include "snapshot/rehearse/rehearsal_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string_view>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "index/base/log.h"
#include "index/storage/file_lock.h"

namespace tsmfs::snapshot {

namespace {

using Json = nlohmann::json;

constexpr std::string_view kWholeSuffix = ".json", kPartSuffix = ".part.json";
constexpr const char* kLockFile = "lock";
constexpr std::chrono::seconds kLockPatience{60};
constexpr uint64_t kRecordBytesMax = 64 << 10;
constexpr int64_t kNsPerSecond = 1'000'000'000;

std::filesystem::path path_of(const index::LocalState& local, const index::SnapshotId& snapshot,
                              std::string_view suffix) {
  return local.rehearsals() / fmt::format("{}{}", snapshot.hex(), suffix);
}

RehearsalRecord decode(const std::string& text) {
  const Json json = Json::parse(text);
  RehearsalRecord record;
  record.time.unix_ns = json.at("time_ns");
  const bool sound = json.at("sound"), complete = json.value("complete", true);
  record.verdict = sound ? Verdict::kSound : complete ? Verdict::kUnsound : Verdict::kIncomplete;
  record.influxd = json.at("influxd");
  record.extent = json.at("extent");
  record.points = json.at("points");
  return record;
}

std::string age(Timestamp time, Timestamp now) {
  constexpr int64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;
  const int64_t seconds = std::max<int64_t>(0, (now.unix_ns - time.unix_ns) / kNsPerSecond);
  const auto of = [](int64_t count, const char* unit) {
    return fmt::format("{} {}{} ago", count, unit, count == 1 ? "" : "s");
  };
  if (seconds < kMinute) return "just now";
  if (seconds >= kDay) return of(seconds / kDay, "day");
  if (seconds >= kHour) return of(seconds / kHour, "hour");
  return of(seconds / kMinute, "minute");
}

}  // namespace

std::string_view verdict_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSound:
      return "sound";
    case Verdict::kIncomplete:
      return "INCOMPLETE";
    case Verdict::kUnsound:
      break;
  }
  return "NOT sound";
}

std::map<index::SnapshotId, RehearsalsOfSnapshot> read_rehearsals(const index::LocalState& local) {
  std::map<index::SnapshotId, RehearsalsOfSnapshot> found;
  if (!directory_exists(local.rehearsals())) return found;
  for (const std::string& name : list_directory(local.rehearsals())) {
    if (!name.ends_with(kWholeSuffix)) continue;
    const bool part = name.ends_with(kPartSuffix);
    const size_t suffix = part ? kPartSuffix.size() : kWholeSuffix.size();
    try {
      const auto id = index::SnapshotId::from_hex(name.substr(0, name.size() - suffix));
      const auto record = decode(read_whole_file(local.rehearsals() / name, kRecordBytesMax));
      (part ? found[id].part : found[id].whole) = record;
    } catch (const Error& error) {
      log::debug("{}", error.what());
    } catch (const Json::exception& error) {
      log::debug("{}: {}", (local.rehearsals() / name).string(), error.what());
    }
  }
  return found;
}

void note_rehearsal(const index::LocalState& local, const index::SnapshotId& snapshot,
                    const RehearsalRecord& record, const std::set<index::SnapshotId>& kept) {
  make_directory(local.rehearsals());
  const index::FileLock alone(local.rehearsals() / kLockFile, "the record of rehearsals",
                              {"rehearse", kLockPatience, {}});
  const auto path = path_of(local, snapshot, record.extent.empty() ? kWholeSuffix : kPartSuffix);
  AtomicFile file(path.string() + ".new", path);
  file.write(as_bytes(Json({{"time_ns", record.time.unix_ns},
                            {"sound", record.verdict == Verdict::kSound},
                            {"complete", record.verdict != Verdict::kIncomplete},
                            {"influxd", record.influxd},
                            {"extent", record.extent},
                            {"points", record.points}})
                          .dump()));
  file.publish();
  for (const auto& [id, old] : read_rehearsals(local))
    if (!kept.contains(id))
      for (const std::string_view suffix : {kWholeSuffix, kPartSuffix})
        remove_file(path_of(local, id, suffix));
}

std::string describe(const RehearsalRecord& record, Timestamp now) {
  return fmt::format("rehearsed {}{}{}: {}", age(record.time, now),
                     record.extent.empty() ? "" : ", ", record.extent,
                     verdict_text(record.verdict));
}

}  // namespace tsmfs::snapshot
