#include "index/format/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "index/base/error.h"
#include "index/base/invariant.h"
#include "index/base/quote.h"
#include "index/format/pack_format.h"
#include "index/format/sealed_json.h"

namespace tsmfs::index {

namespace {

constexpr uint64_t kFrameBytesMin = 4096;
constexpr std::string_view kDigestName = "xxh3-128-secret";

// The features that this program knows, required and optional ones. It may write each of the
// required ones into any repository.
constexpr std::array kKnownFeatures = {kMixedFrames};
constexpr size_t kFeaturesMax = 64;

// The first of them that is not known; empty when there is none.
std::string unknown_feature(const std::vector<std::string>& features) {
  for (const std::string& feature : features)
    if (std::ranges::find(kKnownFeatures, feature) == kKnownFeatures.end())
      return fmt::format("it has {}, which this tsmfs ({}) does not know", quote(feature),
                         TSMFS_VERSION);
  return {};
}

std::vector<std::string> decode_list(const nlohmann::json& stored) {
  if (stored.size() > kFeaturesMax) throw CorruptError("too many features");
  return stored.get<std::vector<std::string>>();
}

Features decode_features(const nlohmann::json& stored, uint32_t format) {
  if (format == kOldestFormatVersion) return {};
  const nlohmann::json& features = stored.at("features");
  return {decode_list(features.at("required")), decode_list(features.at("optional"))};
}

// What only a newer tsmfs can read; empty when there is no such thing.
std::string what_is_unknown(const nlohmann::json& stored) {
  const uint64_t version = count_field(stored, "format", UINT64_MAX);
  if (version < kOldestFormatVersion || version > kFormatVersion)
    return fmt::format("repository format {} is not one that this tsmfs ({}) knows", version,
                       TSMFS_VERSION);
  if (stored.at("digest").at("type") != kDigestName) return "an unknown kind of digest";
  return unknown_feature(decode_features(stored, static_cast<uint32_t>(version)).required);
}

Config decode_fields(const nlohmann::json& stored) {
  DigestKey::Secret secret;
  from_hex(stored.at("digest").at("secret").get<std::string>(), secret);
  Config config{RepositoryId::from_hex(stored.at("id").get<std::string>()), DigestKey(secret),
                parse_rfc3339(stored.at("created").get<std::string>())};
  config.format = static_cast<uint32_t>(count_field(stored, "format", kFormatVersion));
  config.features = decode_features(stored, config.format);
  config.frame_bytes = static_cast<uint32_t>(count_field(stored, "frame_bytes", kFrameRawBytesMax));
  config.pack_bytes = count_field(stored, "pack_bytes", kPackRawBytesMax);
  if (config.frame_bytes < kFrameBytesMin || config.pack_bytes < config.frame_bytes)
    throw CorruptError("frame or pack size out of range");
  return config;
}

}  // namespace

Config new_config() {
  Config config{random_id<RepositoryId>(), DigestKey::random(), now()};
  bring_up_to_date(config);
  return config;
}

std::string bring_up_to_date(Config& config) {
  std::string news;
  if (config.format != kFormatVersion) news = fmt::format("of format {}", kFormatVersion);
  config.format = kFormatVersion;
  auto& required = config.features.required;
  for (const std::string_view feature : kKnownFeatures) {
    if (std::ranges::find(required, feature) != required.end()) continue;
    required.emplace_back(feature);
    news += fmt::format("{}with {}", news.empty() ? "" : ", ", feature);
  }
  return news;
}

std::string encode_config(const Config& config) {
  require_invariant(config.format == kFormatVersion, "a config is written in today's format");
  return seal_json(
      "config",
      {
          {"format", config.format},
          {"features",
           {{"required", config.features.required}, {"optional", config.features.optional}}},
          {"id", config.id.hex()},
          {"created", format_rfc3339_ns(config.created)},
          {"digest", {{"type", kDigestName}, {"secret", to_hex(config.key.secret())}}},
          {"frame_bytes", config.frame_bytes},
          {"pack_bytes", config.pack_bytes},
      });
}

Config decode_config(std::string_view stored, std::string_view object) {
  const nlohmann::json json = unseal_json("config", stored, object);
  std::string unknown;
  try {
    unknown = what_is_unknown(json);
    if (unknown.empty()) return decode_fields(json);
  } catch (const nlohmann::json::exception& error) {
    throw CorruptError(fmt::format("{} is damaged: {}", object, error.what()));
  } catch (const Error& error) {
    throw CorruptError(fmt::format("{} is damaged: {}", object, error.what()));
  }
  throw UsageError(fmt::format("{}: {}", object, unknown), "use a newer tsmfs");
}

void require_writable(const Config& config, std::string_view object) {
  const std::string unknown = unknown_feature(config.features.optional);
  if (unknown.empty()) return;
  throw UsageError(fmt::format("{} cannot be written to: {}", object, unknown),
                   "use a newer tsmfs; reading it is possible");
}

}  // namespace tsmfs::index
