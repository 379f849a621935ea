#include "snapshot/influxdb/data_name.h"

#include <fmt/format.h>

#include <charconv>

namespace tsmfs::snapshot {

namespace {

constexpr size_t kNumberDigits = 9;

std::optional<uint64_t> parse_number(std::string_view digits) {
  uint64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, number);
  if (digits.size() != kNumberDigits || result.ec != std::errc() || result.ptr != end)
    return std::nullopt;
  return number;
}

}  // namespace

std::string DataName::with_generation(uint64_t other) const {
  return fmt::format("{:09}-{}{}", other, sequence, ending);
}

std::optional<DataName> parse_data_name(std::string_view name) {
  const std::string_view stem = stem_of(name);
  if (stem.size() != 2 * kNumberDigits + 1 || stem[kNumberDigits] != '-') return std::nullopt;
  const std::string_view ending = name.substr(stem.size());
  const auto generation = parse_number(stem.substr(0, kNumberDigits));
  const std::string_view sequence = stem.substr(kNumberDigits + 1);
  if (!generation || !parse_number(sequence)) return std::nullopt;
  if (ending != kTsmEnding && ending != kTombstoneEnding) return std::nullopt;
  return DataName{*generation, std::string(sequence), std::string(ending)};
}

std::string_view stem_of(std::string_view name) {
  return name.substr(0, name.find('.'));
}

}  // namespace tsmfs::snapshot
