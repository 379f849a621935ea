#include "snapshot/shard_fetcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>

#include "index/base/error.h"
#include "snapshot/quote.h"
#include "snapshot/tar_reader.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kSpoolMemoryBytes = size_t{32} << 20;
constexpr size_t kReceiveBytes = size_t{1} << 20;
constexpr uint32_t kFileMode = 0644;
// A shard that had at least this many bytes and comes with under a quarter of them has shrunk suspiciously.
constexpr uint64_t kShrinkBytesMin = 64 << 10;
constexpr uint64_t kShrinkShare = 4;

index::FileKind kind_of(std::string_view name) {
  return name.ends_with(".tsm") ? index::FileKind::kTsm : index::FileKind::kOther;
}

// What a server of the old dialect sends besides, which is not reliable and which every server makes again at its start.
bool is_rebuilt_at_start(std::string_view file) { return file.starts_with("index/") || file == "fields.idx" || file.ends_with(".tmp"); }

bool shrank(uint64_t before, uint64_t after) { return before >= kShrinkBytesMin && after < before / kShrinkShare; }

}  // namespace

bool FetchedShard::incomplete() const {
  return std::any_of(problems.begin(), problems.end(),
                     [](const Problem& problem) { return problem.severity == Problem::Severity::kIncomplete; });
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
};

ShardFetcher::ShardFetcher(const InfluxdClient& client, index::RepositoryWriter& writer,
                           const std::filesystem::path& spool_directory, RetryPolicy retry, std::stop_token stop)
    : client_(client), writer_(writer), spool_(spool_directory, kSpoolMemoryBytes), retry_(std::move(retry)), stop_(std::move(stop)) {}

FetchedShard ShardFetcher::fetch(const ShardPath& path, std::optional<uint64_t> bytes_before) {
  std::optional<Attempt> best, last;
  for (unsigned tries = 1;; ++tries) {
    Attempt attempt = try_once(path);
    attempt.shard.tries = tries;
    const bool whole = attempt.failure.empty();
    const bool shrunk = whole && bytes_before && shrank(*bytes_before, attempt.shard.bytes);
    // What looks wrong but comes twice the same is what the server has.
    const bool confirmed = last && last->failure.empty() && last->defects == attempt.defects && last->shard.bytes == attempt.shard.bytes;
    const bool doubtful = (attempt.new_defects || shrunk) && !confirmed;
    const bool give_up = tries > retry_.pauses.size();
    if (whole && (!doubtful || give_up)) {
      for (const auto& defect : attempt.defects)
        attempt.shard.problems.push_back({Problem::Severity::kWarning, path.text() + "/" + defect.file,
                                          "is not a sound TSM file on the server: " + defect.what + "; stored as it is"});
      if (shrunk)
        attempt.shard.problems.push_back({Problem::Severity::kWarning, path.text(),
                                          fmt::format("has {} bytes, and had {} in the last snapshot", attempt.shard.bytes, *bytes_before)});
      return std::move(attempt.shard);
    }
    const bool further = !best || attempt.shard.bytes >= best->shard.bytes;
    if (!whole && give_up) {
      FetchedShard kept = further ? std::move(attempt.shard) : std::move(best->shard);
      kept.problems.push_back({Problem::Severity::kIncomplete, path.text(),
                               fmt::format("did not come whole in {} tries: {}; {} of its files are kept", tries, attempt.failure,
                                           kept.files.size())});
      return kept;
    }
    last = attempt;
    if (further) best = std::move(attempt);
    pause(retry_.pauses[tries - 1]);
  }
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
    if (!member->name.starts_with(prefix)) throw ProtocolError(fmt::format("the stream holds {}, which is not of this shard", quote(member->name)));
    const std::string file = member->name.substr(prefix.size());
    if (is_rebuilt_at_start(file)) continue;
    if (!is_valid_name(file)) throw ProtocolError(fmt::format("the stream holds {}, a name that no shard has", quote(member->name)));
    if (!names.insert(file).second) throw ProtocolError(fmt::format("the stream holds {} twice", quote(member->name)));
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
    attempt.shard.files.push_back({file, EntryKind::kFile, kFileMode, member->mtime, stored.size, 0, stored.id});
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
