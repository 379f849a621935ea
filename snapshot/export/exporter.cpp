#include "snapshot/export/exporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "index/base/error.h"
#include "index/base/held_directory.h"
#include "index/base/mutex.h"
#include "index/base/new_file.h"
#include "index/base/quote.h"
#include "index/base/share_work.h"
#include "index/base/some_of.h"
#include "snapshot/influxdb/deleted_series.h"
#include "snapshot/influxdb/metastore_answer.h"
#include "snapshot/influxdb/metastore_subset.h"
#include "snapshot/influxdb/server_settings.h"
#include "snapshot/influxdb/shard_tar.h"
#include "snapshot/stream/gzip_sink.h"
#include "snapshot/stream/staged_directory.h"
#include "snapshot/stream/tar_writer.h"

namespace tsmfs::snapshot {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr const char* kNoNodeJson = "null\n";  // as a server that is no cluster's answers
constexpr size_t kNamesShownMax = 5;
constexpr const char* kMetaDirectory = "meta";
constexpr const char* kMetaFile = "meta.db";
constexpr uint32_t kMetaMode = 0600;  // it holds password hashes
constexpr uint32_t kTarDirectoryMode = 0755;

// "20160201T180236Z"
std::string portable_stamp(Timestamp time) {
  std::string text = format_rfc3339(time);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string legacy_name(const ShardPath& path) {
  return fmt::format("{}.{}.{:05}.00", path.database, path.policy, path.shard);
}

// The answer to a metastore request, which influxd backup keeps as it came.
ByteBuffer frame_metastore(ByteView meta_db, ByteView node_json) {
  ByteBuffer out;
  const auto put_number = [&](uint64_t value) {
    std::byte bytes[8];
    store_be(bytes, value);
    append(out, bytes);
  };
  put_number(kMetastoreMagic);
  for (const ByteView part : {meta_db, node_json}) {
    put_number(part.size());
    append(out, part);
  }
  return out;
}

// What influxd backup -portable wraps a metastore in: field 1, the metastore; field 2, the highest
// number of a node.
ByteBuffer pack_metastore(ByteView meta_db) {
  constexpr uint8_t kBytesField = 1 << 3 | 2;
  constexpr uint8_t kNumberField = 2 << 3;
  ByteBuffer out;
  ByteWriter writer(out);
  writer.u8(kBytesField);
  writer.sized(meta_db);
  writer.u8(kNumberField);
  writer.varint(metastore_max_node_id(meta_db, kStoredMetaLabel));
  return out;
}

std::string shown(const std::set<std::string>& names) {
  return some_of(std::vector<std::string>(names.begin(), names.end()), kNamesShownMax);
}

// What the legacy influxd restore is known to do wrong with these shards.
std::vector<std::string> legacy_traps(const std::vector<StoredShard>& shards) {
  std::set<std::string> dotted, numbers;
  bool meta = false;
  for (const StoredShard& shard : shards) {
    const ShardPath& path = shard.path;
    for (const Name* name : {&path.database, &path.policy})
      if (name->text().find('.') != std::string::npos) dotted.insert(quote(*name));
    if (path.shard % 10 == 0) numbers.insert(std::to_string(path.shard));
    meta |= path.database == "meta";
  }
  std::vector<std::string> warnings;
  if (!dotted.empty())
    warnings.push_back("influxd restore fails on names with a dot: " + shown(dotted));
  if (!numbers.empty())
    warnings.push_back(
        "influxd restore trims zeros off shard numbers, so that shard 10 lands in "
        "1; that concerns " +
        shown(numbers));
  if (meta) warnings.push_back("influxd restore takes the files of database 'meta' for metastores");
  return warnings;
}

}  // namespace

Exporter::Exporter(index::Repository& repository, SnapshotPtr snapshot, ExportOptions options,
                   std::stop_token stop)
    : repository_(repository),
      snapshot_(std::move(snapshot)),
      options_(std::move(options)),
      stop_(std::move(stop)) {}

ExportChoice Exporter::choose() const {
  return choose_for_export(repository_, *snapshot_, options_.filter);
}

ExportReport Exporter::sum(const ExportChoice& chosen) const {
  ExportReport report;
  report.shards = chosen.shards.size();
  for (const StoredShard& shard : chosen.shards) {
    report.files += shard.files.size();
    report.bytes += shard.bytes;
  }
  report.notes = chosen.notes;
  return report;
}

uint64_t Exporter::write_shard(const StoredShard& shard, ByteSink& sink,
                               const std::stop_token& stop) const {
  return write_shard_tar(repository_, shard, shard.path, options_.owner, sink, stop);
}

void Exporter::for_each_shard(
    const std::vector<StoredShard>& shards,
    const std::function<void(size_t, const std::stop_token&)>& write) const {
  Mutex mutex;
  size_t done = 0;
  share_work(shards.size(), options_.jobs, stop_, [&](SharedWork& work) {
    while (const auto i = work.take()) {
      write(*i, work.stop());
      const MutexLock lock(mutex);
      report(shards[*i], ++done, shards.size());
    }
  });
}

void Exporter::report(const StoredShard& shard, size_t done, size_t total) const {
  if (options_.on_shard)
    options_.on_shard({shard.path, shard.files.size(), shard.bytes, done, total});
}

ExportReport Exporter::write_legacy(const std::filesystem::path& directory) {
  const ExportChoice chosen = choose();
  const auto& shards = chosen.shards;
  std::vector<std::string> names;
  for (const StoredShard& shard : shards) {
    names.push_back(legacy_name(shard.path));
    if (!is_valid_name(names.back()))
      throw UsageError(
          fmt::format("the names of {} are too long for the legacy form", quote(shard.path.text())),
          "use --format portable");
  }
  const ByteBuffer meta_db = stored_metastore(repository_, *snapshot_);
  const auto node_json = stored_meta_file(repository_, *snapshot_, "node.json");
  StagedDirectory stage(directory, snapshot_->time);
  for_each_shard(shards, [&](size_t i, const std::stop_token& stop) {
    stage.write(names[i], [&](ByteSink& sink) { write_shard(shards[i], sink, stop); });
  });
  names.push_back("meta.00");
  stage.write(names.back(), [&](ByteSink& sink) {
    sink.write(frame_metastore(meta_db, node_json ? *node_json : as_bytes(kNoNodeJson)));
  });
  stage.publish(names);
  ExportReport report = sum(chosen);
  report.warnings = legacy_traps(shards);
  return report;
}

ByteBuffer Exporter::portable_metastore(const std::vector<StoredShard>& shards) const {
  ByteBuffer meta_db = stored_metastore(repository_, *snapshot_);
  if (options_.filter.is_everything()) return meta_db;
  std::set<uint64_t> numbers;
  for (const StoredShard& shard : shards) numbers.insert(shard.path.shard);
  return metastore_subset(meta_db, options_.filter, numbers, kStoredMetaLabel);
}

// The settings that influxd restore -portable brings none of, where whole databases are asked for.
std::vector<std::string> Exporter::not_portable() const {
  MetaChoice choice;
  choice.filter = options_.filter;
  if (!asks_for_settings(choice)) return {};
  MissingSettings missing = find_missing(
      read_settings(stored_metastore(repository_, *snapshot_), kStoredMetaLabel), choice, {});
  missing.subscriptions.clear();  // these come with their policies
  const char* reason = "influxd restore -portable brings none";
  return describe(missing, {reason, reason, reason});
}

std::vector<std::string> Exporter::portable_notes(const std::vector<StoredShard>& shards) const {
  std::vector<std::string> notes;
  std::string back = allow_resurrection(
      find_deleted_points(repository_.objects(), shards), options_.resurrect_deleted,
      "influxd restore -portable",
      "use --format legacy, or tsmfs restore into the directories of a stopped server");
  if (!back.empty()) notes.push_back(std::move(back));
  if (shards.empty() && !options_.filter.is_everything())
    notes.push_back(
        "influxd restore -portable makes databases without shards, and calls that a failure");
  return notes;
}

ExportReport Exporter::write_portable(const std::filesystem::path& directory) {
  const ExportChoice chosen = choose();
  const auto& shards = chosen.shards;
  const ByteBuffer meta_db = portable_metastore(shards);
  const ByteBuffer packed = pack_metastore(meta_db);
  const std::string stamp = portable_stamp(snapshot_->time);
  const auto seconds = static_cast<uint32_t>(snapshot_->time.unix_ns / kNanosecondsPerSecond);
  StagedDirectory stage(directory, snapshot_->time);
  const std::vector<std::string> notes = portable_notes(shards);
  std::vector<uint64_t> tar_bytes(shards.size());
  std::vector<std::string> names;
  names.reserve(shards.size());
  for (const StoredShard& shard : shards)
    names.push_back(fmt::format("{}.s{}.tar.gz", stamp, shard.path.shard));
  for_each_shard(shards, [&](size_t i, const std::stop_token& stop) {
    stage.write(names[i], [&](ByteSink& file) {
      const std::string tar_name = names[i].substr(0, names[i].rfind('.'));
      GzipSink gzip(file, {tar_name, seconds});
      tar_bytes[i] = write_shard(shards[i], gzip, stop);
      gzip.finish();
    });
  });
  OrderedJson files = OrderedJson::array();
  for (size_t i = 0; i < shards.size(); ++i)
    files.push_back({{"database", shards[i].path.database.text()},
                     {"policy", shards[i].path.policy.text()},
                     {"shardID", shards[i].path.shard},
                     {"fileName", names[i]},
                     {"size", tar_bytes[i]},
                     {"lastModified", 0}});
  const std::string meta_name = stamp + ".meta";
  // "limited" is never set by influxd either; its restore does not look at it.
  const OrderedJson manifest{{"meta", {{"fileName", meta_name}, {"size", meta_db.size()}}},
                             {"limited", false},
                             {"files", std::move(files)}};
  stage.write(meta_name, [&](ByteSink& sink) { sink.write(packed); });
  names.push_back(meta_name);
  names.push_back(stamp + ".manifest");
  stage.write(names.back(), [&](ByteSink& sink) {
    const std::string text = manifest.dump(2, ' ', false, OrderedJson::error_handler_t::replace);
    sink.write(as_bytes(text));
  });
  stage.publish(names);
  ExportReport report = sum(chosen);
  report.notes.insert(report.notes.end(), notes.begin(), notes.end());
  report.left_out = not_portable();
  return report;
}

ExportReport Exporter::write_tar(ByteSink& sink) {
  const ExportChoice chosen = choose();
  const auto& shards = chosen.shards;
  const ByteBuffer meta_db = stored_metastore(repository_, *snapshot_);
  for (const StoredShard& shard : shards)
    if (shard.path.database == kMetaDirectory && shard.path.policy == kMetaFile)
      throw UsageError(
          "policy 'meta.db' of database 'meta' would stand where the tar has the "
          "metastore",
          "export the other databases with --database");
  FileSequenceReader content = read_shard_files(repository_, shards);
  TarWriter tar(sink, options_.owner, stop_);
  tar.add_bytes({fmt::format("{}/{}", kMetaDirectory, kMetaFile), false, meta_db.size(),
                 snapshot_->time, kMetaMode},
                meta_db);
  for (size_t i = 0; i < shards.size(); ++i) {
    if (shards[i].files.empty())
      tar.add_directory({shards[i].path.text(), true, 0, snapshot_->time, kTarDirectoryMode});
    add_shard_files(tar, content, shards[i], shards[i].path, repository_.key());
    report(shards[i], i + 1, shards.size());
  }
  tar.finish();
  return sum(chosen);
}

ExportReport Exporter::write_tar_file(const std::filesystem::path& file) {
  const Directory directory = Directory::open(file.parent_path());
  const std::string name = file.filename().string();
  if (directory.status(name))
    throw UsageError(file.string() + " is there already", "name a file that is not");
  NewFile out(directory, name + ".tsmfs-export.tmp");
  FileSink sink(out.fd(), out.path());
  ExportReport report = write_tar(sink);
  out.publish_new(name);
  return report;
}

}  // namespace tsmfs::snapshot
