#include "snapshot/catalog.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <unordered_map>

#include "index/base/error.h"
#include "index/base/file.h"
#include "index/sealed_json.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kIdPrefixDigitsMin = 4;

int64_t directory_mtime_ns(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw_errno("cannot stat " + path.string());
  return status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
}

void sort_and_number(CatalogState& state) {
  std::sort(state.snapshots.begin(), state.snapshots.end(),
            [](const SnapshotPtr& a, const SnapshotPtr& b) {
              return std::pair(a->time, a->number) < std::pair(b->time, b->number);
            });
  for (size_t i = 0; i < state.snapshots.size(); ++i)
    state.by_number.emplace(state.snapshots[i]->number, i);
}

SnapshotPtr read_snapshot(const std::filesystem::path& path) {
  const auto manifest = decode_manifest(read_whole_file(path, index::kSealedJsonBytesMax),
                                        "snapshot " + path.filename().string());
  if (manifest.id.hex() != path.filename())
    throw CorruptError(fmt::format("{} holds snapshot {}", path.string(), manifest.id.hex()));
  return std::make_shared<const Manifest>(manifest);
}

}  // namespace

Catalog::Catalog(const index::RepositoryPaths& paths)
    : paths_(paths), state_(std::make_shared<CatalogState>()) {}

std::shared_ptr<const CatalogState> Catalog::state() const {
  MutexLock lock(mutex_);
  return state_;
}

std::shared_ptr<const CatalogState> Catalog::refresh() {
  MutexLock lock(mutex_);
  // The time is taken before the list: a change in between shows at the next refresh. One within
  // the clock's grain of this list might not, so a directory that changed just now is listed again.
  const int64_t mtime_ns = directory_mtime_ns(paths_.snapshots());
  const bool settled = now().unix_ns - mtime_ns > 1'000'000'000;
  if (mtime_ns == directory_mtime_ns_) return state_;
  std::unordered_map<std::string, SnapshotPtr> have;
  for (const SnapshotPtr& snapshot : state_->snapshots) have.emplace(snapshot->id.hex(), snapshot);
  auto fresh = std::make_shared<CatalogState>();
  for (const auto& entry : std::filesystem::directory_iterator(paths_.snapshots())) {
    const auto known = have.find(entry.path().filename().string());
    try {
      fresh->snapshots.push_back(known != have.end() ? known->second : read_snapshot(entry.path()));
    } catch (const IoError& error) {
      if (error.error_number() != ENOENT) throw;  // forgotten in this moment
    } catch (const CorruptError& error) {
      fresh->damaged.push_back(error.what());
    }
  }
  sort_and_number(*fresh);
  directory_mtime_ns_ = settled ? mtime_ns : -1;
  const bool same = fresh->snapshots == state_->snapshots && fresh->damaged == state_->damaged;
  if (same) return state_;
  fresh->generation = state_->generation + 1;
  state_ = fresh;
  return state_;
}

SnapshotPtr Catalog::publish(Manifest manifest) {
  const auto current = refresh();
  manifest.number = current->by_number.empty() ? 1 : current->by_number.rbegin()->first + 1;
  auto snapshot = std::make_shared<const Manifest>(std::move(manifest));
  AtomicFile file(paths_.tmp() / ("snapshot-" + snapshot->id.hex()), paths_.snapshot(snapshot->id));
  file.write(as_bytes(encode_manifest(*snapshot)));
  file.publish();
  refresh();
  return snapshot;
}

SnapshotPtr find_snapshot(const CatalogState& state, std::string_view text) {
  if (text == "latest" && !state.snapshots.empty()) return state.snapshots.back();
  std::vector<SnapshotPtr> matches;
  for (const SnapshotPtr& snapshot : state.snapshots) {
    const bool by_id = text.size() >= kIdPrefixDigitsMin && snapshot->id.hex().starts_with(text);
    if (by_id || format_rfc3339(snapshot->time) == text) matches.push_back(snapshot);
  }
  if (matches.size() == 1) return matches.front();
  if (matches.empty())
    throw UsageError(fmt::format("there is no snapshot '{}'", text), "tsmfs snapshots lists them");
  throw UsageError(fmt::format("'{}' means {} snapshots", text, matches.size()),
                   "name one by more digits of its id");
}

}  // namespace tsmfs::snapshot
