#include "fs/file_facts.h"

#include "index/repository/stored_source.h"
#include "index/tsm/tsm_summary.h"
#include "snapshot/model/wholeness.h"

namespace tsmfs::fs {

namespace {

constexpr std::string_view kPrefix = "user.tsmfs.";

}  // namespace

std::optional<std::string> FileFacts::get(const Inode& inode, std::string_view name) const {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::string_view fact = name.substr(kPrefix.size());
  const snapshot::SnapshotPtr snapshot = history_.snapshot(inode);
  if (snapshot == nullptr) return std::nullopt;
  if (fact == "snapshot") return snapshot->id.hex();
  if (fact == "server") return snapshot->server;
  if (fact == "time") return format_rfc3339_ns(snapshot->time);
  if (fact == "lacks") return snapshot::lacks_text(*snapshot, {});
  if (fact == "newer") return history_.newer(inode);
  const auto content = history_.file(inode);
  if (!content) return std::nullopt;
  if (fact == "added") {
    const snapshot::SnapshotPtr first = history_.first_with(inode);
    return first == nullptr ? std::nullopt : std::optional(first->id.hex());
  }
  return of_content(*content, fact);
}

std::optional<std::string> FileFacts::of_content(const FileContent& content,
                                                 std::string_view fact) const {
  if (fact == "digest") return content.id.hex();
  if (fact != "keys" && fact != "min_time" && fact != "max_time") return std::nullopt;
  index::StoredSource source(objects_.open_file(content.id));
  const auto summary = index::summarize_tsm(source);
  if (!summary) return std::nullopt;
  if (fact == "keys") return std::to_string(summary->keys);
  return format_rfc3339_ns({fact == "min_time" ? summary->min_time_ns : summary->max_time_ns});
}

}  // namespace tsmfs::fs
