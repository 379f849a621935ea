#include "snapshot/upkeep/data_subset.h"

#include <fmt/format.h>

#include <charconv>
#include <span>

#include "index/base/error.h"

namespace tsmfs::snapshot {

DataSubset DataSubset::parse(std::string_view text) {
  DataSubset subset;
  const char* const end = text.data() + text.size();
  if (text.ends_with('%')) {
    double percent = -1;
    const auto [rest, error] = std::from_chars(text.data(), end, percent);
    if (error == std::errc() && rest == end - 1 && percent > 0 && percent <= 100) {
      subset.share = percent / 100;
      index::fill_random(std::as_writable_bytes(std::span(&subset.seed, 1)));
      return subset;
    }
  } else {
    const auto [slash, error] = std::from_chars(text.data(), end, subset.part);
    if (error == std::errc() && slash != end && *slash == '/') {
      const auto [rest, other_error] = std::from_chars(slash + 1, end, subset.parts);
      if (other_error == std::errc() && rest == end && subset.part >= 1 && subset.parts <= 256 &&
          subset.part <= subset.parts)
        return subset;
    }
  }
  throw UsageError(fmt::format("'{}' is no part of the data", text),
                   "give n/m, as in 2/5 (m up to 256), or a percentage, as in 10%");
}

bool DataSubset::takes(const index::PackId& id) const {
  if (share < 1)
    return static_cast<double>(index::checksum(id.view(), seed)) <
           share * static_cast<double>(UINT64_MAX);
  return std::to_integer<uint32_t>(id.bytes[0]) % parts == part - 1;
}

}  // namespace tsmfs::snapshot
