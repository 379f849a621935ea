// A repository's unchanging facts: format version, identity, hash secret, parameters.
// docs/FORMAT.md, "config".
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/timestamp.h"
#include "index/format/digest.h"

namespace tsmfs::index {

constexpr uint32_t kFormatVersion = 2;        // that is written
constexpr uint32_t kOldestFormatVersion = 1;  // that is read

// Frames whose chunks are stored each in the way that fits it (index/codec/mixed_frame.h).
inline constexpr std::string_view kMixedFrames = "mixed-frames";

// What is in a repository beyond what every program of its format knows, by name.
struct Features {
  std::vector<std::string> required;  // who does not know one leaves the repository alone
  std::vector<std::string> optional;  // who does not know one reads it and writes nothing
};

struct Config {
  RepositoryId id;
  DigestKey key;
  Timestamp created;
  uint32_t frame_bytes = 256 << 10;          // raw bytes at which a frame of chunks is closed
  uint64_t pack_bytes = uint64_t{64} << 20;  // raw bytes at which a pack is closed
  uint32_t format = kFormatVersion;
  Features features = {};
};

Config new_config();
// Makes it of the format that is written, with all that this program writes. Returns what is new,
// in words; empty when nothing is.
std::string bring_up_to_date(Config& config);
// Requires: it is of the format that is written.
std::string encode_config(const Config& config);
// Throws: CorruptError; UsageError for a repository of a newer format, or with a required feature
// that is not known.
Config decode_config(std::string_view stored, std::string_view object);
// Throws: UsageError for a repository with an optional feature that is not known.
void require_writable(const Config& config, std::string_view object);

}  // namespace tsmfs::index
