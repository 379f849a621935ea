#include "snapshot/model/amendment.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "index/base/error.h"
#include "index/format/object_keys.h"
#include "index/format/sealed_json.h"

namespace tsmfs::snapshot {

namespace {

constexpr std::string_view kAmendmentKind = "amendment";
constexpr uint32_t kAmendmentVersion = 1;
constexpr size_t kAmendmentEntriesMax = 1 << 20;

Amendment decode_amendment_fields(const nlohmann::json& stored, std::string_view object) {
  if (index::count_field(stored, "version", UINT32_MAX) != kAmendmentVersion)
    throw NewerFormatError(object, "another version of amendment");
  if (stored.at("tags").size() > kAmendmentEntriesMax ||
      stored.at("accepted").size() > kAmendmentEntriesMax)
    throw CorruptError("a list that is too long");
  Amendment amendment;
  amendment.snapshot = index::SnapshotId::from_hex(stored.at("snapshot").get<std::string>());
  amendment.tags = checked_tags(stored.at("tags").get<std::vector<std::string>>());
  for (const nlohmann::json& shard : stored.at("accepted")) {
    if (!shard.is_number_unsigned()) throw CorruptError("a shard without a number");
    amendment.accepted.push_back(shard.get<uint64_t>());
  }
  std::ranges::sort(amendment.accepted);
  return amendment;
}

}  // namespace

Amendment amendment_of(const Manifest& manifest) {
  Amendment amendment{manifest.id, manifest.tags, {}};
  if (!manifest.extent) return amendment;
  for (const MissingShard& missing : manifest.extent->missing)
    if (missing.accepted) amendment.accepted.push_back(missing.path.shard);
  std::ranges::sort(amendment.accepted);
  amendment.accepted.erase(std::unique(amendment.accepted.begin(), amendment.accepted.end()),
                           amendment.accepted.end());
  return amendment;
}

void apply(const Amendment& amendment, Manifest& manifest) {
  manifest.tags = amendment.tags;
  for (const uint64_t shard : amendment.accepted) accept_missing(manifest, shard);
}

std::optional<Amendment> read_amendment(const index::Storage& storage, const std::string& key) {
  const std::string object = storage.location(key);
  const auto name = index::amendment_of_key(key);
  if (!name) throw CorruptError(object + " is not the name of an amendment");
  const auto stored = storage.get(key, index::kSealedJsonBytesMax);
  if (!stored) return std::nullopt;
  Amendment amendment = decode_amendment(*stored, object);
  if (amendment.snapshot != name->snapshot)
    throw CorruptError(fmt::format("{} is of snapshot {}", object, amendment.snapshot.hex()));
  return amendment;
}

std::string encode_amendment(const Amendment& amendment) {
  return index::seal_json(kAmendmentKind, {{"version", kAmendmentVersion},
                                           {"snapshot", amendment.snapshot.hex()},
                                           {"tags", amendment.tags},
                                           {"accepted", amendment.accepted}});
}

Amendment decode_amendment(std::string_view stored, std::string_view object) {
  const nlohmann::json content = index::unseal_json(kAmendmentKind, stored, object);
  try {
    return decode_amendment_fields(content, object);
  } catch (const nlohmann::json::exception& error) {
    throw CorruptError(fmt::format("{} is damaged: {}", object, error.what()));
  } catch (const NewerFormatError&) {
    throw;
  } catch (const Error& error) {
    throw CorruptError(fmt::format("{} is damaged: {}", object, error.what()));
  }
}

}  // namespace tsmfs::snapshot
