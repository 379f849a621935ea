#include "snapshot/shard_fetcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <utility>

#include "index/base/error.h"
#include "snapshot/quote.h"
#include "snapshot/tar_reader.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kSpoolMemoryBytes = size_t{32} << 20;
constexpr size_t kReceiveBytes = size_t{1} << 20;
constexpr uint32_t kFileMode = 0644;
// A shard that had at least this many bytes and comes with under a quarter of them has shrunk
// suspiciously.
constexpr uint64_t kShrinkBytesMin = 64 << 10;
constexpr uint64_t kShrinkShare = 4;

index::FileKind kind_of(std::string_view name) {
  return name.ends_with(".tsm") ? index::FileKind::kTsm : index::FileKind::kOther;
}

// What a server of the old dialect sends besides, which is not reliable and which every server
// makes again at its start.
bool is_rebuilt_at_start(std::string_view file) {
  return file.starts_with("index/") || file == "fields.idx" || file.ends_with(".tmp");
}

bool shrank(uint64_t before, uint64_t after) {
  return before >= kShrinkBytesMin && after < before / kShrinkShare;
}

}  // namespace

bool FetchedShard::incomplete() const {
  return std::any_of(problems.begin(), problems.end(), [](const Problem& problem) {
    return problem.severity == Problem::Severity::kIncomplete;
  });
}

struct ShardFetcher::Attempt {
  struct Defect {
    std::string file;
    index::FileId id;
    std::string what;
    bool operator==(const Defect&) const = default;
  };
  FetchedShard shard;
  std::string failure;          // why the stream is not whole
  std::vector<Defect> defects;  // TSM files that are not sound
  bool new_defects = false;     // one of them was never seen before
  bool whole() const { return failure.empty(); }
  // In a stream that is not whole, a file that is not sound was damaged on the way.
  void drop_defective() {
    for (const Defect& defect : defects)
      std::erase_if(shard.files, [&](const TreeEntry& entry) { return entry.name == defect.file; });
    defects.clear();
  }
  bool is_better_than(const Attempt& other) const {
    return std::pair(whole(), shard.bytes) > std::pair(other.whole(), other.shard.bytes);
  }
};

ShardFetcher::ShardFetcher(const InfluxdClient& client, index::RepositoryWriter& writer,
                           const std::filesystem::path& spool_directory, RetryPolicy retry,
                           std::stop_token stop)
    : client_(client),
      writer_(writer),
      spool_(spool_directory, kSpoolMemoryBytes),
      retry_(std::move(retry)),
      stop_(std::move(stop)) {}

FetchedShard ShardFetcher::fetch(const ShardPath& path, std::optional<uint64_t> bytes_before) {
  std::optional<Attempt> best, last;
  uint64_t new_bytes = 0;
  for (unsigned tries = 1;; ++tries) {
    Attempt attempt = try_once(path);
    new_bytes +=
        attempt.shard.new_bytes;  // what an earlier try stored is no longer new to the next
    const bool doubtful =
        attempt.new_defects || (bytes_before && shrank(*bytes_before, attempt.shard.bytes));
    // What looks wrong but comes twice the same is what the server has.
    const bool confirmed = last && last->whole() && last->defects == attempt.defects &&
                           last->shard.bytes == attempt.shard.bytes;
    const bool good = attempt.whole() && (!doubtful || confirmed);
    last = attempt;
    if (good || !best || !best->is_better_than(attempt)) best = std::move(attempt);
    if (good || tries > retry_.pauses.size()) {
      best->shard.tries = tries;
      best->shard.new_bytes = new_bytes;
      add_problems(path, bytes_before, last->failure, *best);
      return std::move(best->shard);
    }
    pause(retry_.pauses[tries - 1]);
  }
}

void ShardFetcher::add_problems(const ShardPath& path, std::optional<uint64_t> bytes_before,
                                const std::string& last_failure, Attempt& kept) {
  FetchedShard& shard = kept.shard;
  if (!kept.whole()) kept.drop_defective();
  for (const auto& defect : kept.defects)
    shard.problems.push_back(
        {Problem::Severity::kWarning, path.text() + "/" + defect.file,
         "is not a sound TSM file on the server: " + defect.what + "; stored as it is"});
  if (!kept.whole())
    shard.problems.push_back(
        {Problem::Severity::kIncomplete, path.text(),
         fmt::format("did not come whole in {} tries: {}; {} of its files are kept", shard.tries,
                     last_failure, shard.files.size())});
  else if (bytes_before && shrank(*bytes_before, shard.bytes))
    shard.problems.push_back(
        {Problem::Severity::kWarning, path.text(),
         fmt::format("has {} bytes, and had {} in the last snapshot", shard.bytes, *bytes_before)});
}

ShardFetcher::Attempt ShardFetcher::try_once(const ShardPath& path) {
  Attempt attempt;
  try {
    const auto stream = client_.open_shard(path, std::nullopt);
    if (stream)
      read_members(path, *stream, attempt);
    else
      attempt.failure = "the server answered nothing";
  } catch (const ProtocolError& error) {
    attempt.failure = error.what();
  }
  return attempt;
}

void ShardFetcher::read_members(const ShardPath& path, ByteStream& stream, Attempt& attempt) {
  TarReader tar(stream, "the stream of shard " + quote(path.text()));
  const std::string prefix = path.text() + "/";
  std::set<std::string, std::less<>> names;
  while (const auto member = tar.next()) {
    if (member->kind == TarMember::Kind::kDirectory) continue;
    if (!member->name.starts_with(prefix))
      throw ProtocolError(
          fmt::format("the stream holds {}, which is not of this shard", quote(member->name)));
    const std::string file = member->name.substr(prefix.size());
    if (is_rebuilt_at_start(file)) continue;
    if (!is_valid_name(file))
      throw ProtocolError(
          fmt::format("the stream holds {}, a name that no shard has", quote(member->name)));
    if (!names.insert(file).second)
      throw ProtocolError(fmt::format("the stream holds {} twice", quote(member->name)));
    spool_.clear();
    index::DigestStream digest(writer_.digest_key());
    for (uint64_t left = member->size; left > 0;) {
      const MutableByteView room = spool_.reserve(std::min<uint64_t>(left, kReceiveBytes));
      const size_t count = tar.read_data(room);
      digest.update(room.first(count));
      spool_.commit(count);
      left -= count;
    }
    const auto stored = writer_.put_file(spool_, digest.file_id(), kind_of(file), stop_);
    attempt.shard.files.push_back(
        {file, EntryKind::kFile, kFileMode, member->mtime, stored.size, 0, stored.id});
    attempt.shard.bytes += stored.size;
    attempt.shard.new_bytes += stored.new_bytes;
    if (stored.tsm_defect.empty()) continue;
    attempt.defects.push_back({file, stored.id, stored.tsm_defect});
    attempt.new_defects |= !stored.already_known;
  }
}

void ShardFetcher::pause(std::chrono::milliseconds duration) const {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop_, duration, [] { return false; });
  if (stop_.stop_requested()) throw Cancelled();
}

}  // namespace tsmfs::snapshot
