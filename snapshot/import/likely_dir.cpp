#include "snapshot/import/likely_dir.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <deque>
#include <optional>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/quote.h"

namespace tsmfs::snapshot {

namespace {

namespace fs = std::filesystem;

constexpr size_t kDirectoriesMax = 2000;  // looked into, the nearest first
constexpr int kSearchDepthMax = 5;        // from /var/lib to /var/lib/influxdb/data/db/rp/1

bool is_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

// The data or WAL directory that a file below `place` belongs to: four levels above the file.
std::optional<fs::path> find_place(const fs::path& place, DirKind kind) {
  struct Step {
    fs::path path;
    int depth;
  };
  std::deque<Step> steps{{absolute_path(place).lexically_normal(), 0}};
  for (size_t looked = 0; !steps.empty() && looked < kDirectoriesMax; ++looked) {
    const Step step = steps.front();
    steps.pop_front();
    try {
      for (const DirEntry& entry : list_entries(step.path)) {
        if (S_ISREG(entry.mode) && is_taken(entry.name, kind) &&
            is_number(step.path.filename().string()))
          return step.path.parent_path().parent_path().parent_path();
        if (S_ISDIR(entry.mode) && step.depth < kSearchDepthMax)
          steps.push_back({step.path / entry.name, step.depth + 1});
      }
    } catch (const ProtocolError&) {
      // not the place, as far as this user can see
    }
  }
  return std::nullopt;
}

const char* option_of(DirKind kind) {
  return kind == DirKind::kData ? "--data-dir" : "--wal-dir";
}

std::string likely(const fs::path& path, DirKind kind) {
  return fmt::format("it is probably {} {}", option_of(kind), quote(path.string()));
}

}  // namespace

WrongPlace judge_place(const fs::path& place, DirKind kind, const char* option) {
  const std::string named = fmt::format("{} {}", option, quote(place.string()));
  if (!directory_exists(place)) {
    fs::path above = absolute_path(place).lexically_normal().parent_path();
    if (!path_exists(place)) return {named + " is not a directory", ""};
    const auto right = find_place(above, kind);
    return {named + " is not a directory", right ? likely(*right, kind) : ""};
  }
  const fs::path here = absolute_path(place).lexically_normal();
  const fs::path self = here.has_filename() ? here : here.parent_path();
  if (const auto right = find_place(self, kind); right && *right != self)
    return {named + " does not hold one directory a database", likely(*right, kind)};
  const DirKind other = kind == DirKind::kData ? DirKind::kWal : DirKind::kData;
  const auto right = find_place(self, other);
  if (!right) return {};
  const fs::path beside = right->parent_path() / (kind == DirKind::kData ? "data" : "wal");
  return {fmt::format("{} is a {} directory", named, other == DirKind::kData ? "data" : "WAL"),
          directory_exists(beside) && beside != *right ? likely(beside, kind) : ""};
}

}  // namespace tsmfs::snapshot
