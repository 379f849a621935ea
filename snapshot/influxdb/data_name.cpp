#include "snapshot/influxdb/data_name.h"

#include <fmt/format.h>

#include "index/base/parse_number.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kNumberDigits = 9;

}  // namespace

std::string DataName::with_generation(uint64_t other) const {
  return fmt::format("{:09}-{}{}", other, sequence, ending);
}

std::optional<DataName> parse_data_name(std::string_view name) {
  const std::string_view stem = stem_of(name);
  if (stem.size() != 2 * kNumberDigits + 1 || stem[kNumberDigits] != '-') return std::nullopt;
  const std::string_view ending = name.substr(stem.size());
  const auto generation = parse_number<uint64_t>(stem.substr(0, kNumberDigits));
  const std::string_view sequence = stem.substr(kNumberDigits + 1);
  if (!generation || !parse_number<uint64_t>(sequence)) return std::nullopt;
  if (ending != kTsmEnding && ending != kTombstoneEnding) return std::nullopt;
  return DataName{*generation, std::string(sequence), std::string(ending)};
}

std::optional<TsmName> parse_tsm_name(std::string_view file) {
  if (!file.ends_with(kTsmEnding)) return std::nullopt;
  file.remove_suffix(kTsmEnding.size());
  const size_t dash = file.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto generation = parse_number<uint64_t>(file.substr(0, dash)),
             sequence = parse_number<uint64_t>(file.substr(dash + 1));
  if (!generation || !sequence) return std::nullopt;
  return TsmName{*generation, *sequence};
}

std::string_view stem_of(std::string_view name) {
  return name.substr(0, name.find('.'));
}

}  // namespace tsmfs::snapshot
