#include "snapshot/model/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "index/base/error.h"
#include "index/base/invariant.h"
#include "index/format/object_keys.h"
#include "index/format/sealed_json.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kIdPrefixDigitsMin = 4;

constexpr uint64_t kLastNumberBytesMax = 16;

// Numbers are not given twice, also after the newest snapshot was forgotten. One that cannot be
// read is as one that is absent: inode generations tell equal numbers apart.
uint32_t read_last_number(const index::Storage& storage) {
  const auto text = storage.get(index::kLastNumberKey, kLastNumberBytesMax);
  uint32_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return std::min(number, kSnapshotNumberMax);
}

void raise_last_number(index::Storage& storage, uint32_t number) {
  if (number <= read_last_number(storage)) return;
  storage.replace(index::kLastNumberKey, as_bytes(std::to_string(number) + "\n"));
}

void sort_and_number(CatalogState& state) {
  std::sort(state.snapshots.begin(), state.snapshots.end(),
            [](const SnapshotPtr& a, const SnapshotPtr& b) {
              return std::pair(a->time, a->number) < std::pair(b->time, b->number);
            });
  for (size_t i = 0; i < state.snapshots.size(); ++i)
    state.by_number.emplace(state.snapshots[i]->number, i);
}

// As readers take it.
std::string encode_readable(const Manifest& manifest) {
  std::string encoded = encode_manifest(manifest);
  require_invariant(
      encoded.size() <= index::kSealedJsonBytesMax,
      "a manifest is no larger than readers take (it names too many databases or problems)");
  require_readable(
      [&] { decode_manifest(encoded, "the manifest of snapshot " + manifest.id.hex()); });
  return encoded;
}

Neighbours neighbours_of(const CatalogState& state, Timestamp time) {
  const auto later = std::ranges::upper_bound(state.snapshots, time, {}, &Manifest::time);
  Neighbours neighbours;
  if (later != state.snapshots.begin()) neighbours.earlier = (*std::prev(later))->time;
  if (later != state.snapshots.end()) neighbours.later = (*later)->time;
  return neighbours;
}

}  // namespace

SnapshotPtr read_snapshot(const index::Storage& storage, const std::string& key) {
  const auto stored = storage.get(key, index::kSealedJsonBytesMax);
  if (!stored) return nullptr;
  const std::string name(index::name_in_key(key));
  auto manifest = decode_manifest(*stored, "snapshot " + name);
  if (index::snapshot_key(manifest.id) != key)
    throw CorruptError(
        fmt::format("{} holds snapshot {}", storage.location(key), manifest.id.hex()));
  return std::make_shared<const Manifest>(std::move(manifest));
}

Catalog::Catalog(index::Storage& storage)
    : storage_(storage), state_(std::make_shared<CatalogState>()) {}

std::shared_ptr<const CatalogState> Catalog::state() const {
  MutexLock lock(mutex_);
  return state_;
}

std::shared_ptr<const CatalogState> Catalog::refresh() {
  MutexLock lock(mutex_);
  // The version is taken before the list: a change in between shows at the next refresh.
  auto version = storage_.version(index::kSnapshotsFolder);
  if (version && version == folder_version_) return state_;
  auto fresh = std::make_shared<CatalogState>();
  read_all(*fresh);
  sort_and_number(*fresh);
  folder_version_ = std::move(version);
  const bool same = fresh->snapshots == state_->snapshots && fresh->damaged == state_->damaged;
  if (same) return state_;
  fresh->generation = state_->generation + 1;
  state_ = fresh;
  return state_;
}

// Manifests that are known cost a look at their version each. One that is absent now was forgotten
// since the list was made; one that cannot be looked at for another reason may be needed, so there
// is no list then.
void Catalog::read_all(CatalogState& fresh) {
  std::unordered_map<std::string, Known> known;
  for (const std::string& key : storage_.list(index::kSnapshotsFolder)) {
    auto version = storage_.version(key);
    const auto before = known_.find(key);
    const SnapshotPtr old = before != known_.end() ? before->second.snapshot : nullptr;
    const bool same = old && version && before->second.version == version;
    try {
      SnapshotPtr snapshot = same ? old : read_snapshot(storage_, key);
      if (!snapshot) continue;
      if (old && !same && encode_manifest(*old) == encode_manifest(*snapshot)) snapshot = old;
      fresh.snapshots.push_back(snapshot);
      known.emplace(key, Known{std::move(version), std::move(snapshot)});
    } catch (const CorruptError& error) {
      fresh.damaged.push_back(error.what());
    }
  }
  known_ = std::move(known);
}

SnapshotPtr Catalog::publish(Manifest manifest) {
  const auto current = refresh();
  const uint32_t highest = current->by_number.empty() ? 0 : current->by_number.rbegin()->first;
  manifest.number = std::max(highest, read_last_number(storage_)) + 1;
  manifest.neighbours = neighbours_of(*current, manifest.time);
  auto snapshot = std::make_shared<const Manifest>(std::move(manifest));
  const std::string encoded = encode_readable(*snapshot);
  storage_.put(index::snapshot_key(snapshot->id), as_bytes(encoded));
  refresh();
  return snapshot;
}

SnapshotPtr Catalog::replace(Manifest manifest) {
  auto snapshot = std::make_shared<const Manifest>(std::move(manifest));
  const std::string encoded = encode_readable(*snapshot);
  storage_.replace(index::snapshot_key(snapshot->id), as_bytes(encoded));
  refresh();
  return snapshot;
}

void Catalog::remove(const std::vector<SnapshotPtr>& snapshots) {
  if (snapshots.empty()) return;
  const auto highest = *std::ranges::max_element(snapshots, {}, &Manifest::number);
  raise_last_number(storage_, highest->number);
  std::vector<std::string> keys;
  for (const SnapshotPtr& snapshot : snapshots) keys.push_back(index::snapshot_key(snapshot->id));
  storage_.remove(keys);
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
