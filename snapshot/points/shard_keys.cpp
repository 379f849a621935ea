#include "snapshot/points/shard_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/damage.h"
#include "index/base/error.h"
#include "index/base/quote.h"
#include "index/tsm/tsm_index.h"
#include "snapshot/influxdb/data_name.h"
#include "snapshot/influxdb/tombstone_entries.h"
#include "snapshot/influxdb/unopenable.h"
#include "snapshot/stream/stored_stream.h"

namespace tsmfs::snapshot {

namespace {

// The order of a heap of files: the smallest key comes first, of equal ones the first file.
auto later_key(const std::vector<std::unique_ptr<PointFile>>& files) {
  return [&files](size_t one, size_t other) {
    const int order = files[one]->key().compare(files[other]->key());
    return order != 0 ? order > 0 : one > other;
  };
}

}  // namespace

ShardKeys::ShardKeys(index::ObjectReader& objects, const ShardFiles& files,
                     const index::DigestKey& digests, ShardProblems& problems,
                     const std::stop_token& stop)
    : objects_(objects), digests_(digests), problems_(problems), stop_(stop) {
  if (files.log) read_log(*files.log);
  next_in_log_ = log_.keys().begin();
  if (files.data) open_files(*files.data);
}

template <typename Read>
void ShardKeys::reading(const std::string& file, const Read& read) {
  if (const auto damage = find_damage(read))
    problems_.add(file, fmt::format("cannot be read: {}", damage->what));
}

void ShardKeys::read_log(const StoredShard& shard) {
  for (const TreeEntry& entry : shard.files) {
    if (stop_.stop_requested()) throw Cancelled();
    if (!entry.name.text().starts_with('_') || !entry.name.ends_with(".wal")) continue;
    reading(entry.name, [&] {
      CopyingSource segment(objects_.open_file(entry.file()));
      const uint64_t sound = log_.add(segment, stop_);
      if (sound < segment.size())
        problems_.add(entry.name,
                      fmt::format("cannot be read behind byte {} of {}: influxd cuts it off there",
                                  sound, segment.size()));
    });
  }
  log_.finish();
  for (const std::string& key : log_.conflicts())
    problems_.add("", fmt::format("its write-ahead log has points of {} of two types: influxd does "
                                  "not open the shard",
                                  quote(key)));
}

void ShardKeys::open_files(const StoredShard& shard) {
  for (const TreeEntry& entry : shard.files) {
    if (stop_.stop_requested()) throw Cancelled();
    if (!entry.name.ends_with(kTsmEnding)) continue;
    if (const auto why = why_name_refused(entry.name, entry.size))
      problems_.add(entry.name, *why);
    else
      reading(entry.name, [&] { open_file(shard, entry); });
  }
  for (size_t file = 0; file < files_.size(); ++file) advance(file);
}

// influxd puts a file aside that it cannot read, and one whose tombstone it cannot read.
void ShardKeys::open_file(const StoredShard& shard, const TreeEntry& entry) try {
  auto file = std::make_unique<PointFile>(entry.name, objects_.open_file(entry.file()));
  const std::string name = fmt::format("{}{}", stem_of(entry.name), kTombstoneEnding);
  const auto tombstone =
      std::ranges::find_if(shard.files, [&](const TreeEntry& other) { return other.name == name; });
  if (tombstone != shard.files.end()) {
    StoredStream stream(objects_.open_file(tombstone->file()));
    file->set_deleted(DeletedRanges(stream, quote(name), digests_, stop_));
  }
  files_.push_back(std::move(file));
} catch (const index::TsmFormatError& error) {
  problems_.add(entry.name, fmt::format("is no sound TSM file: {}: influxd puts it aside, and its "
                                        "points are not counted",
                                        error.what));
} catch (const TombstoneError& error) {
  problems_.add(entry.name, fmt::format("{}: influxd puts the TSM file aside, and its points are "
                                        "not counted",
                                        error.what()));
}

// Puts the file into the heap with its next key, if it has one.
void ShardKeys::advance(size_t file) {
  reading(files_[file]->name(), [&] {
    try {
      if (!files_[file]->next()) return;
      heap_.push_back(file);
      std::ranges::push_heap(heap_, later_key(files_));
    } catch (const index::TsmFormatError& error) {
      problems_.add(files_[file]->name(),
                    fmt::format("{}: what is behind is not counted", error.what));
    }
  });
}

bool ShardKeys::next() {
  for (const size_t file : with_key_) advance(file);
  with_key_.clear();
  in_log_ = nullptr;
  const bool more_in_log = next_in_log_ != log_.keys().end();
  if (heap_.empty() && !more_in_log) return false;
  const bool log_first =
      more_in_log && (heap_.empty() || next_in_log_->first < files_[heap_.front()]->key());
  key_ = log_first ? next_in_log_->first : files_[heap_.front()]->key();
  if (more_in_log && next_in_log_->first == key_) in_log_ = &(next_in_log_++)->second;
  while (!heap_.empty() && files_[heap_.front()]->key() == key_) {
    std::ranges::pop_heap(heap_, later_key(files_));
    with_key_.push_back(heap_.back());
    heap_.pop_back();
  }
  return true;
}

}  // namespace tsmfs::snapshot
