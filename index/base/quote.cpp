#include "index/base/quote.h"

#include "index/base/visible.h"

namespace tsmfs {

namespace {

constexpr size_t kQuotedBytesMax = 200;

}  // namespace

std::string quote(std::string_view text) {
  std::string_view shown = text.substr(0, kQuotedBytesMax);
  if (shown.size() < text.size()) shown.remove_suffix(unfinished_bytes(shown));
  return "'" + visible(shown, "'\\") + (shown.size() < text.size() ? "...'" : "'");
}

}  // namespace tsmfs
