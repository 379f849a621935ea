#include "snapshot/model/catalog.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "index/base/file_time.h"
#include "index/base/invariant.h"
#include "index/format/sealed_json.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kIdPrefixDigitsMin = 4;

constexpr uint64_t kLastNumberBytesMax = 16;

constexpr int64_t kClockGrainNs = 1'000'000'000;  // of any file system, generously

// Whether a change from now on is sure to have another time.
bool is_settled(int64_t ns) {
  return now().unix_ns - ns > kClockGrainNs;
}

// A manifest that cannot be found though its name is there is a link that leads nowhere.
void require_forgotten(const std::filesystem::path& path) {
  if (link_status_if_exists(path)) throw IoError("cannot read " + path.string(), ENOENT);
}

// Numbers are not given twice, also after the newest snapshot was forgotten. One that cannot be
// read is as one that is absent: inode generations tell equal numbers apart.
uint32_t read_last_number(const index::RepositoryPaths& paths) {
  if (!open_if_exists(paths.last_number(), O_RDONLY)) return 0;
  const std::string text = read_whole_file(paths.last_number(), kLastNumberBytesMax);
  uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return std::min(number, kSnapshotNumberMax);
}

void raise_last_number(const index::RepositoryPaths& paths, uint32_t number) {
  if (number <= read_last_number(paths)) return;
  AtomicFile file(paths.tmp() / "last-number", paths.last_number());
  file.write(as_bytes(std::to_string(number) + "\n"));
  file.publish();
}

void sort_and_number(CatalogState& state) {
  std::sort(state.snapshots.begin(), state.snapshots.end(),
            [](const SnapshotPtr& a, const SnapshotPtr& b) {
              return std::pair(a->time, a->number) < std::pair(b->time, b->number);
            });
  for (size_t i = 0; i < state.snapshots.size(); ++i)
    state.by_number.emplace(state.snapshots[i]->number, i);
}

Neighbours neighbours_of(const CatalogState& state, Timestamp time) {
  const auto later = std::ranges::upper_bound(state.snapshots, time, {}, &Manifest::time);
  Neighbours neighbours;
  if (later != state.snapshots.begin()) neighbours.earlier = (*std::prev(later))->time;
  if (later != state.snapshots.end()) neighbours.later = (*later)->time;
  return neighbours;
}

}  // namespace

SnapshotPtr read_snapshot(const std::filesystem::path& path) {
  const auto manifest = decode_manifest(read_whole_file(path, index::kSealedJsonBytesMax),
                                        "snapshot " + path.filename().string());
  if (manifest.id.hex() != path.filename())
    throw CorruptError(fmt::format("{} holds snapshot {}", path.string(), manifest.id.hex()));
  return std::make_shared<const Manifest>(manifest);
}

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
  const int64_t mtime_ns = from_timespec(status_of(paths_.snapshots()).st_mtim).unix_ns;
  const bool settled = is_settled(mtime_ns);
  if (mtime_ns == directory_mtime_ns_) return state_;
  auto fresh = std::make_shared<CatalogState>();
  read_all(*fresh);
  sort_and_number(*fresh);
  directory_mtime_ns_ = settled ? mtime_ns : -1;
  const bool same = fresh->snapshots == state_->snapshots && fresh->damaged == state_->damaged;
  if (same) return state_;
  fresh->generation = state_->generation + 1;
  state_ = fresh;
  return state_;
}

// Manifests that are known cost one stat each. One that is absent now was forgotten since the list
// was made; one that cannot be looked at for another reason may be needed, so there is no list
// then.
void Catalog::read_all(CatalogState& fresh) {
  std::unordered_map<std::string, Known> known;
  for (const std::string& name : list_directory(paths_.snapshots())) {
    const std::filesystem::path path = paths_.snapshots() / name;
    const auto status = status_if_exists(path);
    if (!status) {
      require_forgotten(path);
      continue;
    }
    const FileState file{status->st_ino, from_timespec(status->st_ctim).unix_ns};
    const bool settled = is_settled(file.ctime_ns);
    try {
      const auto before = known_.find(name);
      const SnapshotPtr old = before != known_.end() ? before->second.snapshot : nullptr;
      const bool same = old && before->second.settled && before->second.file == file;
      SnapshotPtr snapshot = same ? old : read_snapshot(path);
      if (old && !same && encode_manifest(*old) == encode_manifest(*snapshot)) snapshot = old;
      fresh.snapshots.push_back(snapshot);
      known.emplace(name, Known{file, settled, std::move(snapshot)});
    } catch (const IoError& error) {
      if (!is_absence(error.error_number())) throw;
      require_forgotten(path);
    } catch (const CorruptError& error) {
      fresh.damaged.push_back(error.what());
    }
  }
  known_ = std::move(known);
}

SnapshotPtr Catalog::publish(Manifest manifest) {
  const auto current = refresh();
  const uint32_t highest = current->by_number.empty() ? 0 : current->by_number.rbegin()->first;
  manifest.number = std::max(highest, read_last_number(paths_)) + 1;
  manifest.neighbours = neighbours_of(*current, manifest.time);
  auto snapshot = std::make_shared<const Manifest>(std::move(manifest));
  write(*snapshot);
  refresh();
  return snapshot;
}

SnapshotPtr Catalog::replace(Manifest manifest) {
  auto snapshot = std::make_shared<const Manifest>(std::move(manifest));
  write(*snapshot);
  refresh();
  return snapshot;
}

void Catalog::write(const Manifest& manifest) {
  const std::string encoded = encode_manifest(manifest);
  const std::string name = "the manifest of snapshot " + manifest.id.hex();
  require_invariant(
      encoded.size() <= index::kSealedJsonBytesMax,
      "a manifest is no larger than readers take (it names too many databases or problems)");
  require_readable([&] { decode_manifest(encoded, name); });
  AtomicFile file(paths_.tmp() / ("snapshot-" + manifest.id.hex()), paths_.snapshot(manifest.id));
  file.write(as_bytes(encoded));
  file.publish();
}

void Catalog::remove(const std::vector<SnapshotPtr>& snapshots) {
  if (snapshots.empty()) return;
  const auto highest = *std::ranges::max_element(snapshots, {}, &Manifest::number);
  raise_last_number(paths_, highest->number);
  for (const SnapshotPtr& snapshot : snapshots) remove_file(paths_.snapshot(snapshot->id));
  sync_directory(paths_.snapshots());
  refresh();
}

std::vector<SnapshotPtr> choose_snapshots(const CatalogState& state, std::string_view server,
                                          std::string_view tag) {
  std::vector<SnapshotPtr> chosen;
  for (const SnapshotPtr& snapshot : state.snapshots)
    if ((server.empty() || snapshot->server == server) && (tag.empty() || snapshot->has_tag(tag)))
      chosen.push_back(snapshot);
  return chosen;
}

bool is_id_of(std::string_view text, const Manifest& snapshot) {
  return text.size() >= kIdPrefixDigitsMin && snapshot.id.hex().starts_with(text);
}

SnapshotPtr find_snapshot(const CatalogState& state, std::string_view text) {
  return find_snapshot(state.snapshots, text);
}

SnapshotPtr find_snapshot(const std::vector<SnapshotPtr>& snapshots, std::string_view text) {
  if (text == "latest" && !snapshots.empty()) return snapshots.back();
  std::vector<SnapshotPtr> matches;
  for (const SnapshotPtr& snapshot : snapshots)
    if (is_id_of(text, *snapshot) || format_rfc3339(snapshot->time) == text)
      matches.push_back(snapshot);
  if (matches.size() == 1) return matches.front();
  if (matches.empty())
    throw UsageError(fmt::format("there is no snapshot '{}'", text),
                     "name one by its id or by its whole time, as tsmfs snapshots lists them");
  throw UsageError(fmt::format("'{}' means {} snapshots", text, matches.size()),
                   "name one by more digits of its id");
}

}  // namespace tsmfs::snapshot
