#include "snapshot/backup/shard_fetcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string_view>
#include <utility>

#include "index/base/error.h"
#include "index/base/format_bytes.h"
#include "snapshot/intake/shrinkage.h"
#include "snapshot/model/manifest.h"

namespace tsmfs::snapshot {

namespace {

// Also any shard that comes empty though it had something.
bool is_suspiciously_small(const std::optional<uint64_t>& before, uint64_t after) {
  if (!before) return false;
  return (*before > 0 && after == 0) || shrank(*before, after, kFetchedShrink);
}

constexpr const char* kNoAnswer = "the server answered nothing";

FetchedShard dropped_shard(unsigned tries, uint64_t new_bytes) {
  FetchedShard shard;
  shard.tries = tries;
  shard.new_bytes = new_bytes;
  shard.dropped = true;
  return shard;
}

}  // namespace

bool FetchedShard::incomplete() const {
  return any_incomplete(problems);
}

struct ShardFetcher::Attempt {
  ReadShard read;
  std::string failure;                  // why the stream is not whole
  std::chrono::milliseconds waited{0};  // for its first byte
  bool whole() const { return failure.empty(); }
  bool is_better_than(const Attempt& other) const {
    return std::pair(whole(), read.bytes) > std::pair(other.whole(), other.read.bytes);
  }
  // In a stream that is not whole, a file that is not sound was damaged on the way.
  void drop_defective() {
    std::set<std::string_view> defective;  // a hostile server sends many
    for (const FileDefect& defect : read.defects) defective.insert(defect.file);
    std::erase_if(read.files,
                  [&](const TreeEntry& entry) { return defective.contains(entry.name.text()); });
    read.defects.clear();
  }
};

ShardFetcher::ShardFetcher(const InfluxdClient& client, index::RepositoryWriter& writer,
                           const std::filesystem::path& spool_directory, RetryPolicy retry,
                           std::stop_token stop, std::atomic<uint64_t>* received_bytes)
    : client_(client),
      reader_(writer, spool_directory, stop, received_bytes),
      retry_(std::move(retry)),
      stop_(std::move(stop)) {}

FetchedShard ShardFetcher::fetch(const FetchRequest& request) {
  if (dropped_ && dropped_->known(request.path)) return dropped_shard(0, 0);
  if (!request.range) return fetch_with(request, retry_.pauses);
  FetchedShard shard = fetch_with(request, retry_.pauses);
  if (!shard.incomplete()) return shard;
  const std::string why =
      shard.unanswered ? "the server was busy with the shard" : "as of a shard with tombstones";
  shard = fetch_with({request.path, {}, {}, {}}, retry_.pauses);
  shard.all = true;
  if (!shard.incomplete())
    shard.problems.push_back({Problem::Severity::kWarning, request.path.text(),
                              "is here whole: the server could not export the time range, " + why});
  return shard;
}

FetchedShard ShardFetcher::fetch_with(const FetchRequest& request,
                                      const std::vector<std::chrono::milliseconds>& pauses) {
  std::optional<Attempt> best, last;
  uint64_t new_bytes = 0;
  for (unsigned tries = 1;; ++tries) {
    Attempt attempt = try_once(request);
    // What an earlier try stored is no longer new to the next.
    new_bytes += attempt.read.new_bytes;
    const bool doubtful =
        attempt.read.new_defects || is_suspiciously_small(request.bytes_before, attempt.read.bytes);
    // What looks wrong but comes twice the same is what the server has.
    const bool confirmed = last && last->whole() && last->read.defects == attempt.read.defects &&
                           last->read.bytes == attempt.read.bytes;
    const bool good = attempt.whole() && (!doubtful || confirmed);
    if (!attempt.whole() && dropped_ && dropped_->look(client_, request.path))
      return dropped_shard(tries, new_bytes);
    last = attempt;
    if (good || !best || !best->is_better_than(attempt)) best = std::move(attempt);
    // The server cannot export a range of a shard with tombstones, however often it is asked.
    const bool hopeless = request.range && tries > 1 && last->failure != kNoAnswer;
    if (good || hopeless || tries > pauses.size()) {
      FetchedShard shard;
      shard.tries = tries;
      shard.unanswered = last->failure == kNoAnswer;
      shard.new_bytes = new_bytes;
      // A range is exported only once the cache is written out.
      shard.may_lack_cache = !request.range && best->waited >= retry_.quick;
      add_problems(request, last->failure, *best, shard);
      return shard;
    }
    pause(pauses[tries - 1], stop_);
  }
}

void ShardFetcher::add_problems(const FetchRequest& request, const std::string& last_failure,
                                Attempt& kept, FetchedShard& shard) {
  if (!kept.whole()) kept.drop_defective();
  shard.bytes = kept.read.bytes;
  shard.files = std::move(kept.read.files);
  for (const FileDefect& defect : kept.read.defects)
    shard.problems.push_back(
        {Problem::Severity::kWarning, request.path.text() + "/" + defect.file,
         "is not a sound TSM file on the server: " + defect.what + "; stored as it is"});
  if (!kept.whole())
    shard.problems.push_back(
        {Problem::Severity::kIncomplete, request.path.text(),
         fmt::format("did not come whole in {} tries: {}; {} of its files are kept", shard.tries,
                     last_failure, shard.files.size())});
  else if (shard.bytes > 0 && is_suspiciously_small(request.bytes_before, shard.bytes))
    shard.problems.push_back(
        {Problem::Severity::kWarning, request.path.text(),
         fmt::format("has {}, and had {} in the last snapshot", format_bytes(shard.bytes),
                     format_bytes(*request.bytes_before))});
}

ShardFetcher::Attempt ShardFetcher::try_once(const FetchRequest& request) {
  Attempt attempt;
  const auto begin = std::chrono::steady_clock::now();
  try {
    const auto stream = request.range ? client_.open_range(request.path, *request.range)
                                      : client_.open_shard(request.path, request.since);
    attempt.waited = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin);
    if (stream)
      reader_.read(request.path, *stream, attempt.read);
    else
      attempt.failure = kNoAnswer;
  } catch (const ProtocolError& error) {
    attempt.failure = error.what();
  }
  return attempt;
}

void pause(std::chrono::milliseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, duration, [] { return false; });
  if (stop.stop_requested()) throw Cancelled();
}

}  // namespace tsmfs::snapshot
