#include "snapshot/model/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "index/format/sealed_json.h"

namespace tsmfs::snapshot {

namespace {

using Json = nlohmann::json;
using Severity = Problem::Severity;

constexpr std::string_view kSealKind = "manifest";
constexpr uint32_t kManifestVersion = 1;
constexpr size_t kListEntriesMax = 1 << 20;  // databases, problems

std::string_view severity_name(Problem::Severity severity) {
  return severity == Severity::kIncomplete ? "incomplete" : "warning";
}

Json encode_problem(const Problem& problem) {
  return {{"severity", severity_name(problem.severity)},
          {"path", problem.path},
          {"what", problem.what}};
}

Problem decode_problem(const Json& stored) {
  Problem problem;
  const std::string severity = stored.at("severity").get<std::string>();
  if (severity == severity_name(Severity::kIncomplete)) problem.severity = Severity::kIncomplete;
  problem.path = stored.at("path").get<std::string>();
  problem.what = stored.at("what").get<std::string>();
  return problem;
}

Json encode_filter(const Filter& filter) {
  Json stored = Json::object();
  if (!filter.databases.empty()) stored["databases"] = filter.databases;
  if (!filter.policy.empty()) stored["policy"] = filter.policy;
  if (filter.shard) stored["shard"] = *filter.shard;
  if (filter.range) {
    stored["start"] = format_rfc3339_ns(filter.range->start);
    stored["end"] = format_rfc3339_ns(filter.range->end);
  }
  if (filter.metastore_only) stored["metastore_only"] = true;
  return stored;
}

Filter decode_filter(const Json& stored) {
  Filter filter;
  filter.databases = stored.value("databases", std::vector<std::string>());
  filter.policy = stored.value("policy", std::string());
  if (stored.contains("shard")) filter.shard = stored.at("shard").get<uint64_t>();
  if (stored.contains("start"))
    filter.range = TimeRange{parse_rfc3339(stored.at("start").get<std::string>()),
                             parse_rfc3339(stored.at("end").get<std::string>())};
  filter.metastore_only = stored.value("metastore_only", false);
  return filter;
}

Json encode_extent(const Extent& extent) {
  Json missing = Json::array();
  for (const MissingShard& shard : extent.missing) {
    Json one = {{"shard", shard.path.text()}, {"why", shard.why}};
    if (shard.had_bytes > 0) one["had_bytes"] = shard.had_bytes;
    if (shard.accepted) one["accepted"] = true;
    missing.push_back(std::move(one));
  }
  Json stored = {{"named", extent.named}, {"came", extent.came}};
  if (extent.late > 0) stored["late"] = extent.late;
  if (extent.since) stored["since"] = format_rfc3339_ns(*extent.since);
  if (!missing.empty()) stored["missing"] = std::move(missing);
  return stored;
}

MissingShard decode_missing(const Json& stored) {
  const auto path = parse_shard_path(stored.at("shard").get<std::string>());
  if (!path) throw CorruptError("a missing shard without a path");
  return {*path, stored.at("why").get<std::string>(), stored.value("had_bytes", uint64_t{0}),
          stored.value("accepted", false)};
}

Extent decode_extent(const Json& stored) {
  Extent extent;
  extent.named = stored.at("named").get<uint64_t>();
  extent.came = stored.at("came").get<uint64_t>();
  if (stored.contains("late")) extent.late = stored.at("late").get<uint64_t>();
  if (stored.contains("since")) extent.since = parse_rfc3339(stored.at("since").get<std::string>());
  if (!stored.contains("missing")) return extent;
  if (stored.at("missing").size() > kListEntriesMax) throw CorruptError("a list that is too long");
  for (const Json& one : stored.at("missing")) extent.missing.push_back(decode_missing(one));
  std::ranges::sort(extent.missing, {}, &MissingShard::path);
  return extent;
}

Json encode_neighbours(const Neighbours& neighbours) {
  Json stored = Json::object();
  if (neighbours.earlier) stored["earlier"] = format_rfc3339_ns(*neighbours.earlier);
  if (neighbours.later) stored["later"] = format_rfc3339_ns(*neighbours.later);
  return stored;
}

Neighbours decode_neighbours(const Json& stored) {
  Neighbours neighbours;
  if (stored.contains("earlier"))
    neighbours.earlier = parse_rfc3339(stored.at("earlier").get<std::string>());
  if (stored.contains("later"))
    neighbours.later = parse_rfc3339(stored.at("later").get<std::string>());
  return neighbours;
}

template <typename T>
T unsigned_field(const Json& stored, const char* name) {
  return static_cast<T>(index::count_field(stored, name, std::numeric_limits<T>::max()));
}

bool is_about(const Problem& problem, const MissingShard& missing) {
  return problem.what == missing.why && problem.path == missing.path.text();
}

Manifest decode_fields(const Json& stored, std::string_view object) {
  if (unsigned_field<uint32_t>(stored, "version") != kManifestVersion)
    throw NewerFormatError(object, "another version of manifest");
  Manifest manifest;
  manifest.id = index::SnapshotId::from_hex(stored.at("id").get<std::string>());
  manifest.number = unsigned_field<uint32_t>(stored, "number");
  if (manifest.number > kSnapshotNumberMax) throw CorruptError("a number that is too large");
  manifest.time = parse_rfc3339(stored.at("time").get<std::string>());
  manifest.finished = parse_rfc3339(stored.at("finished").get<std::string>());
  manifest.server = stored.at("server").get<std::string>();
  if (!is_valid_name(manifest.server))
    throw CorruptError("a server name that cannot stand in a directory");
  manifest.address = stored.at("address").get<std::string>();
  manifest.dialect = stored.at("dialect").get<std::string>();
  manifest.program = stored.at("program").get<std::string>();
  if (stored.contains("parent"))
    manifest.parent = index::SnapshotId::from_hex(stored.at("parent").get<std::string>());
  manifest.data = index::TreeId::from_hex(stored.at("data").get<std::string>());
  manifest.meta = index::TreeId::from_hex(stored.at("meta").get<std::string>());
  manifest.data_below = unsigned_field<uint32_t>(stored, "data_below");
  manifest.meta_below = unsigned_field<uint32_t>(stored, "meta_below");
  if (stored.at("databases").size() > kListEntriesMax ||
      stored.at("problems").size() > kListEntriesMax)
    throw CorruptError("a list that is too long");
  manifest.databases = stored.at("databases").get<std::vector<std::string>>();
  manifest.shards = unsigned_field<uint64_t>(stored, "shards");
  manifest.files = unsigned_field<uint64_t>(stored, "files");
  manifest.bytes = unsigned_field<uint64_t>(stored, "bytes");
  manifest.new_bytes = unsigned_field<uint64_t>(stored, "new_bytes");
  manifest.stored_bytes = unsigned_field<uint64_t>(stored, "stored_bytes");
  manifest.metastore_changed = stored.at("metastore_changed").get<bool>();
  if (stored.contains("wal")) {
    manifest.wal = index::TreeId::from_hex(stored.at("wal").get<std::string>());
    manifest.wal_below = unsigned_field<uint32_t>(stored, "wal_below");
  }
  if (stored.contains("filter")) manifest.filter = decode_filter(stored.at("filter"));
  manifest.partial = stored.value("partial", false);
  if (stored.contains("extent")) manifest.extent = decode_extent(stored.at("extent"));
  for (const Json& problem : stored.at("problems"))
    manifest.problems.push_back(decode_problem(problem));
  manifest.tags = checked_tags(stored.value("tags", std::vector<std::string>()));
  if (stored.contains("neighbours"))
    manifest.neighbours = decode_neighbours(stored.at("neighbours"));
  if (stored.contains("original")) {
    const Json& original = stored.at("original");
    manifest.original =
        Original{index::RepositoryId::from_hex(original.at("repository").get<std::string>()),
                 index::SnapshotId::from_hex(original.at("snapshot").get<std::string>())};
  }
  return manifest;
}

}  // namespace

bool Manifest::incomplete() const {
  return any_incomplete(problems);
}

bool any_incomplete(const std::vector<Problem>& problems) {
  return std::ranges::find(problems, Severity::kIncomplete, &Problem::severity) != problems.end();
}

std::set<std::string> incomplete_paths(const Manifest& manifest) {
  std::set<std::string> paths;
  for (const Problem& problem : manifest.problems)
    if (problem.severity == Severity::kIncomplete) paths.insert(problem.path);
  return paths;
}

Manifest begin_manifest(SnapshotOrigin origin, const Manifest* parent) {
  Manifest manifest;
  manifest.time = origin.time;
  manifest.server = std::move(origin.server);
  manifest.address = std::move(origin.address);
  manifest.dialect = std::move(origin.dialect);
  if (parent != nullptr) manifest.parent = parent->id;
  return manifest;
}

bool Manifest::has_tag(std::string_view tag) const {
  return std::ranges::find(tags, tag) != tags.end();
}

void add_missing(Manifest& manifest, MissingShard missing) {
  if (!manifest.extent) manifest.extent.emplace();
  const Severity severity = missing.accepted ? Severity::kWarning : Severity::kIncomplete;
  const auto said = std::ranges::find_if(
      manifest.problems, [&](const Problem& problem) { return is_about(problem, missing); });
  if (said != manifest.problems.end())
    said->severity = severity;
  else
    manifest.problems.push_back({severity, missing.path.text(), missing.why});
  std::vector<MissingShard>& list = manifest.extent->missing;
  const auto place = std::ranges::lower_bound(list, missing.path, {}, &MissingShard::path);
  const bool listed = place != list.end() && place->path == missing.path;
  if (!listed && list.size() < kMissingListedMax) list.insert(place, std::move(missing));
}

bool accept_missing(Manifest& manifest, uint64_t shard) {
  if (!manifest.extent) return false;
  bool changed = false;
  for (MissingShard& missing : manifest.extent->missing) {
    if (missing.path.shard != shard || missing.accepted) continue;
    missing.accepted = changed = true;
    for (Problem& problem : manifest.problems)
      if (is_about(problem, missing)) problem.severity = Severity::kWarning;
  }
  return changed;
}

std::vector<std::string> checked_tags(std::vector<std::string> tags) {
  for (const std::string& tag : tags) {
    const bool sound = std::ranges::none_of(
        tag, [](unsigned char c) { return c < 0x20 || c == 0x7f || c == ','; });
    if (tag.empty() || tag.size() > kTagBytesMax || !sound)
      throw UsageError(fmt::format("a tag has 1 to {} bytes, without commas or control characters",
                                   kTagBytesMax));
  }
  std::ranges::sort(tags);
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  return tags;
}

std::string encode_manifest(const Manifest& manifest) {
  if (!is_valid_name(manifest.server))
    throw UsageError(fmt::format("{} cannot be the name of a server", quote(manifest.server)));
  Json problems = Json::array();
  for (const Problem& problem : manifest.problems) problems.push_back(encode_problem(problem));
  Json stored = {
      {"version", kManifestVersion},
      {"id", manifest.id.hex()},
      {"number", manifest.number},
      {"time", format_rfc3339_ns(manifest.time)},
      {"finished", format_rfc3339_ns(manifest.finished)},
      {"server", manifest.server},
      {"address", manifest.address},
      {"dialect", manifest.dialect},
      {"program", manifest.program},
      {"data", manifest.data.hex()},
      {"meta", manifest.meta.hex()},
      {"data_below", manifest.data_below},
      {"meta_below", manifest.meta_below},
      {"databases", manifest.databases},
      {"shards", manifest.shards},
      {"files", manifest.files},
      {"bytes", manifest.bytes},
      {"new_bytes", manifest.new_bytes},
      {"stored_bytes", manifest.stored_bytes},
      {"metastore_changed", manifest.metastore_changed},
      {"problems", std::move(problems)},
  };
  if (manifest.parent) stored["parent"] = manifest.parent->hex();
  if (manifest.wal) {
    stored["wal"] = manifest.wal->hex();
    stored["wal_below"] = manifest.wal_below;
  }
  if (!manifest.filter.is_everything()) stored["filter"] = encode_filter(manifest.filter);
  if (manifest.partial) stored["partial"] = true;
  if (manifest.extent) stored["extent"] = encode_extent(*manifest.extent);
  if (!manifest.tags.empty()) stored["tags"] = manifest.tags;
  if (manifest.neighbours) stored["neighbours"] = encode_neighbours(*manifest.neighbours);
  if (manifest.original)
    stored["original"] = {{"repository", manifest.original->repository.hex()},
                          {"snapshot", manifest.original->snapshot.hex()}};
  return index::seal_json(kSealKind, stored);
}

Manifest decode_manifest(std::string_view stored, std::string_view object) {
  const Json content = index::unseal_json(kSealKind, stored, object);
  try {
    return decode_fields(content, object);
  } catch (const Json::exception& error) {
    throw CorruptError(fmt::format("{} is damaged: {}", object, error.what()));
  } catch (const NewerFormatError&) {
    throw;
  } catch (const Error& error) {
    throw CorruptError(fmt::format("{} is damaged: {}", object, error.what()));
  }
}

}  // namespace tsmfs::snapshot
