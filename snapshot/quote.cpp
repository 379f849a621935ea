#include "snapshot/quote.h"

#include <fmt/format.h>

namespace tsmfs::snapshot {

namespace {

constexpr size_t kQuotedBytesMax = 200;

}  // namespace

std::string quote(std::string_view text) {
  const std::string_view shown = text.substr(0, kQuotedBytesMax);
  std::string out = "'";
  for (const char c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '\'' || c == '\\') {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  out += shown.size() < text.size() ? "...'" : "'";
  return out;
}

}  // namespace tsmfs::snapshot
