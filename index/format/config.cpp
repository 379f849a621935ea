#include "index/format/config.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "index/base/error.h"
#include "index/format/pack_format.h"
#include "index/format/sealed_json.h"

namespace tsmfs::index {

namespace {

constexpr uint64_t kFrameBytesMin = 4096;
constexpr std::string_view kDigestName = "xxh3-128-secret";

// What only a newer tsmfs can read; empty when there is no such thing.
std::string what_is_unknown(const nlohmann::json& stored) {
  const uint64_t version = count_field(stored, "format", UINT64_MAX);
  if (version != kFormatVersion)
    return fmt::format("repository format {} is not one that this tsmfs ({}) knows", version,
                       TSMFS_VERSION);
  return stored.at("digest").at("type") == kDigestName ? "" : "an unknown kind of digest";
}

Config decode_fields(const nlohmann::json& stored) {
  DigestKey::Secret secret;
  from_hex(stored.at("digest").at("secret").get<std::string>(), secret);
  Config config{RepositoryId::from_hex(stored.at("id").get<std::string>()), DigestKey(secret),
                parse_rfc3339(stored.at("created").get<std::string>())};
  config.frame_bytes = static_cast<uint32_t>(count_field(stored, "frame_bytes", kFrameRawBytesMax));
  config.pack_bytes = count_field(stored, "pack_bytes", kPackRawBytesMax);
  if (config.frame_bytes < kFrameBytesMin || config.pack_bytes < config.frame_bytes)
    throw CorruptError("frame or pack size out of range");
  return config;
}

}  // namespace

Config new_config() {
  return Config{random_id<RepositoryId>(), DigestKey::random(), now()};
}

std::string encode_config(const Config& config) {
  return seal_json("config",
                   {
                       {"format", kFormatVersion},
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

}  // namespace tsmfs::index
