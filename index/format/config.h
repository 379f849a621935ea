// A repository's unchanging facts: format version, identity, hash secret, parameters.
// docs/FORMAT.md, "config".
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "index/base/timestamp.h"
#include "index/format/digest.h"

namespace tsmfs::index {

constexpr uint32_t kFormatVersion = 1;

struct Config {
  RepositoryId id;
  DigestKey key;
  Timestamp created;
  uint32_t frame_bytes = 256 << 10;          // raw bytes at which a frame of chunks is closed
  uint64_t pack_bytes = uint64_t{64} << 20;  // raw bytes at which a pack is closed
};

Config new_config();
std::string encode_config(const Config& config);
// Throws: CorruptError; UsageError for a repository of a newer format version.
Config decode_config(std::string_view stored, std::string_view object);

}  // namespace tsmfs::index
