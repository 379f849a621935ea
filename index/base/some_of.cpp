#include "index/base/some_of.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tsmfs {

std::string and_more(size_t count, std::string_view kind) {
  return fmt::format("and {} {}{}more", count, kind, kind.empty() ? "" : " ");
}

std::string some_of(std::span<const std::string> names, size_t shown_max) {
  const auto shown = names.first(std::min(names.size(), shown_max));
  const size_t more = names.size() - shown.size();
  return fmt::format("{}{}", fmt::join(shown, ", "), more > 0 ? " " + and_more(more) : "");
}

}  // namespace tsmfs
