#include "snapshot/model/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "index/base/damage.h"
#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/invariant.h"
#include "index/base/parse_number.h"
#include "index/format/object_keys.h"
#include "index/format/sealed_json.h"
#include "snapshot/model/amendment.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kIdPrefixDigitsMin = 4;

constexpr uint64_t kLastNumberBytesMax = 16;

uint32_t last_number_of_format_1(const index::Storage& storage) {
  const auto text = storage.get(index::kLastNumberKey, kLastNumberBytesMax);
  uint32_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return std::min(number, kSnapshotNumberMax);
}

// Numbers are not given twice, also after the newest snapshot was forgotten. One that cannot be
// read is as one that is absent: inode generations tell equal numbers apart.
uint32_t highest_forgotten(const index::Storage& storage) {
  uint32_t highest = last_number_of_format_1(storage);
  for (const std::string& key : storage.list(index::kForgottenFolder)) {
    const auto number = parse_number<uint32_t>(index::name_in_key(key)).value_or(0);
    if (number <= kSnapshotNumberMax) highest = std::max(highest, number);
  }
  return highest;
}

void note_forgotten(index::Storage& storage, uint32_t number) {
  if (number <= highest_forgotten(storage)) return;
  const std::vector<std::string> lower = storage.list(index::kForgottenFolder);
  storage.put(index::forgotten_key(number), {});
  storage.remove(lower);
}

// Reads an object; says why it cannot be read, if it is damaged or lies in a bad sector. Another
// error is thrown.
std::optional<std::string> why_unreadable(CatalogState& state, const auto& read) {
  auto damage = find_damage(read, [](int error_number) {
    return is_damage(error_number) && may_come_back(error_number);
  });
  if (!damage) return std::nullopt;
  state.may_come_back |= damage->may_come_back;
  return std::move(damage->what);
}

// A pin may be among what cannot be read.
void pin(Manifest& manifest) {
  manifest.tags.emplace_back(kPinTag);
  manifest.tags = checked_tags(std::move(manifest.tags));
}

void sort_and_number(CatalogState& state) {
  std::sort(state.snapshots.begin(), state.snapshots.end(),
            [](const SnapshotPtr& a, const SnapshotPtr& b) {
              return std::pair(a->time, a->number) < std::pair(b->time, b->number);
            });
  for (size_t i = 0; i < state.snapshots.size(); ++i)
    state.by_number.emplace(state.snapshots[i]->number, i);
}

// Of snapshots that were forgotten; what is in quarantine may come back.
std::vector<std::string> amendments_of_none(const index::Storage& storage) {
  std::vector<std::string> keys = storage.list(index::kAmendmentsFolder);
  std::erase_if(keys, [&](const std::string& key) {
    const auto name = index::amendment_of_key(key);
    return !name || storage.has(index::snapshot_key(name->snapshot)) ||
           storage.has(index::quarantined_snapshot_key(name->snapshot));
  });
  return keys;
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

// The amendments of each snapshot that has some.
class Catalog::Amendments {
 public:
  // What is no amendment goes to `doubts`.
  Amendments(const index::Storage& storage, std::vector<std::string>& doubts) {
    for (const std::string& key : storage.list(index::kAmendmentsFolder)) {
      const auto name = index::amendment_of_key(key);
      if (name)
        numbers_[index::snapshot_key(name->snapshot)].push_back(name->number);
      else
        doubts.push_back(storage.location(key) + " is not the name of an amendment");
    }
    for (auto& [key, numbers] : numbers_) std::ranges::sort(numbers, std::greater<>());
  }
  // The last one first, which is in force.
  const std::vector<uint32_t>& of(const std::string& snapshot_key) const {
    static const std::vector<uint32_t> kNone;
    const auto found = numbers_.find(snapshot_key);
    return found == numbers_.end() ? kNone : found->second;
  }
  uint32_t last_of(const std::string& snapshot_key) const {
    const auto& numbers = of(snapshot_key);
    return numbers.empty() ? 0 : numbers.front();
  }

 private:
  std::unordered_map<std::string, std::vector<uint32_t>> numbers_;
};

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

// Nothing while that cannot be told.
std::optional<std::string> Catalog::folders_version() const {
  const auto snapshots = storage_.folder_version(index::kSnapshotsFolder);
  const auto amendments = storage_.folder_version(index::kAmendmentsFolder);
  if (!snapshots || !amendments) return std::nullopt;
  return *snapshots + " " + *amendments;
}

std::shared_ptr<const CatalogState> Catalog::refresh() {
  MutexLock lock(mutex_);
  // The version is taken before the list: a change in between shows at the next refresh.
  auto version = folders_version();
  if (version && version == version_) return state_;
  auto fresh = std::make_shared<CatalogState>();
  read_all(*fresh);
  sort_and_number(*fresh);
  version_ = fresh->may_come_back ? std::nullopt : std::move(version);
  const bool same = fresh->snapshots == state_->snapshots && fresh->damaged == state_->damaged &&
                    fresh->doubts == state_->doubts;
  if (same) return state_;
  fresh->generation = state_->generation + 1;
  state_ = fresh;
  return state_;
}

// Null when the snapshot was forgotten in this moment. Where the amendment in force cannot be read,
// the one before it tells what is known.
SnapshotPtr Catalog::read_amended(const std::string& key, const std::vector<uint32_t>& amendments,
                                  CatalogState& fresh) const {
  SnapshotPtr published = read_snapshot(storage_, key);
  if (!published || amendments.empty()) return published;
  Manifest manifest = *published;
  bool in_doubt = false;
  for (const uint32_t number : amendments) {
    std::optional<Amendment> amendment;
    const auto why = why_unreadable(fresh, [&] {
      amendment = read_amendment(storage_, index::amendment_key(manifest.id, number));
    });
    if (why)
      fresh.doubts.push_back(fmt::format(
          "{}; snapshot {} counts as pinned until it is tagged again", *why, manifest.short_id()));
    in_doubt |= why.has_value();
    if (!amendment) continue;
    apply(*amendment, manifest);
    break;
  }
  if (in_doubt) pin(manifest);
  auto amended = std::make_shared<const Manifest>(std::move(manifest));
  if (in_doubt) fresh.doubtful.push_back(amended);
  return amended;
}

// One that is absent now was forgotten since the list was made; one that cannot be looked at for a
// reason of its own may be needed, so there is no list then.
void Catalog::read_all(CatalogState& fresh) {
  std::unordered_map<std::string, Known> known;
  const Amendments amendments(storage_, fresh.doubts);
  for (const std::string& key : storage_.list(index::kSnapshotsFolder)) {
    const uint32_t last = amendments.last_of(key);
    const auto before = known_.find(key);
    const bool same = before != known_.end() && before->second.amendment == last;
    SnapshotPtr snapshot = same ? before->second.snapshot : nullptr;
    if (!same)
      if (const auto why = why_unreadable(
              fresh, [&] { snapshot = read_amended(key, amendments.of(key), fresh); }))
        fresh.damaged.push_back(*why);
    if (!snapshot) continue;
    fresh.snapshots.push_back(snapshot);
    if (fresh.doubtful.empty() || fresh.doubtful.back() != snapshot)
      known.emplace(key, Known{last, std::move(snapshot)});
  }
  known_ = std::move(known);
}

SnapshotPtr Catalog::publish(Manifest manifest) {
  const auto current = refresh();
  const uint32_t highest = current->by_number.empty() ? 0 : current->by_number.rbegin()->first;
  // Each that cannot be read may have had one of the numbers that follow.
  const auto unread = static_cast<uint32_t>(current->damaged.size());
  manifest.number = std::max(highest, highest_forgotten(storage_)) + unread + 1;
  if (manifest.number > kSnapshotNumberMax)
    throw CorruptError(fmt::format("all numbers that snapshots can have were given, as {} says",
                                   storage_.location(index::kForgottenFolder)),
                       "a file in there that no forget has made is to be removed");
  manifest.neighbours = neighbours_of(*current, manifest.time);
  auto snapshot = std::make_shared<const Manifest>(std::move(manifest));
  const std::string encoded = encode_readable(*snapshot);
  storage_.put(index::snapshot_key(snapshot->id), as_bytes(encoded));
  refresh();
  return snapshot;
}

SnapshotPtr Catalog::amend(const Manifest& amended) {
  return amend(std::vector{amended}).front();
}

std::vector<SnapshotPtr> Catalog::amend(const std::vector<Manifest>& amended) {
  std::vector<std::string> strays;
  const Amendments amendments(storage_, strays);
  std::vector<SnapshotPtr> all;
  for (const Manifest& one : amended) {
    const std::string key = index::snapshot_key(one.id);
    const auto published = read_snapshot(storage_, key);
    if (!published) throw UsageError(fmt::format("there is no snapshot '{}'", one.id.hex()));
    const Amendment amendment = amendment_of(one);
    Manifest manifest = *published;
    apply(amendment, manifest);
    require_invariant(encode_manifest(manifest) == encode_manifest(one),
                      "an amendment changes tags, and what is accepted as missing, alone");
    const std::string encoded = encode_amendment(amendment);
    require_readable([&] { decode_amendment(encoded, "the amendment of " + one.id.hex()); });
    storage_.put(index::amendment_key(one.id, amendments.last_of(key) + 1), as_bytes(encoded));
    all.push_back(std::make_shared<const Manifest>(std::move(manifest)));
  }
  refresh();
  return all;
}

void Catalog::remove(const std::vector<SnapshotPtr>& snapshots) {
  if (snapshots.empty()) return;
  const auto highest = *std::ranges::max_element(snapshots, {}, &Manifest::number);
  note_forgotten(storage_, highest->number);
  std::vector<std::string> keys;
  keys.reserve(snapshots.size());
  for (const SnapshotPtr& snapshot : snapshots) keys.push_back(index::snapshot_key(snapshot->id));
  storage_.remove(keys);
  storage_.remove(amendments_of_none(storage_));
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
