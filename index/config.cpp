#include "index/config.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "index/base/error.h"
#include "index/pack_format.h"
#include "index/sealed_json.h"

namespace tsmfs::index {

namespace {

constexpr std::string_view kDigestName = "xxh3-128-secret";

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
  try {
    const uint64_t version = json.at("format").get<uint64_t>();
    if (version != kFormatVersion)
      throw UsageError(fmt::format("{}: repository format {} is not one that this tsmfs ({}) knows",
                                   object, version, TSMFS_VERSION),
                       "use a newer tsmfs");
    if (json.at("digest").at("type") != kDigestName)
      throw UsageError(fmt::format("{}: an unknown kind of digest", object), "use a newer tsmfs");
    DigestKey::Secret secret;
    from_hex(json.at("digest").at("secret").get<std::string>(), secret);
    Config config{RepositoryId::from_hex(json.at("id").get<std::string>()), DigestKey(secret),
                  parse_rfc3339(json.at("created").get<std::string>())};
    config.frame_bytes = json.at("frame_bytes").get<uint32_t>();
    config.pack_bytes = json.at("pack_bytes").get<uint64_t>();
    if (config.frame_bytes < 4096 || config.frame_bytes > kFrameRawBytesMax ||
        config.pack_bytes < config.frame_bytes || config.pack_bytes > kPackRawBytesMax)
      throw CorruptError(fmt::format("{} is damaged: frame or pack size out of range", object));
    return config;
  } catch (const nlohmann::json::exception& error) {
    throw CorruptError(fmt::format("{} is damaged: {}", object, error.what()));
  }
}

}  // namespace tsmfs::index
