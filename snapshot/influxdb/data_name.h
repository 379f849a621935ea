// The names of a shard's data files: TSM files and their tombstones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tsmfs::snapshot {

constexpr uint64_t kGenerationMax = 999'999'999;  // names of more digits sort elsewhere
inline constexpr std::string_view kTsmEnding = ".tsm";
inline constexpr std::string_view kTombstoneEnding = ".tombstone";

// "GGGGGGGGG-SSSSSSSSS.tsm", or ".tombstone": as a server makes it, with nine digits and nine.
struct DataName {
  uint64_t generation = 0;
  std::string sequence;  // its digits
  std::string ending;

  std::string with_generation(uint64_t other) const;
};
std::optional<DataName> parse_data_name(std::string_view name);

// What a TSM file and its tombstone have in common: all before the first dot.
std::string_view stem_of(std::string_view name);

// Of a TSM file, with any number of digits. Nothing for any other name.
struct TsmName {
  uint64_t generation = 0;
  uint64_t sequence = 0;
};
std::optional<TsmName> parse_tsm_name(std::string_view file);

}  // namespace tsmfs::snapshot
