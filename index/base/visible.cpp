#include "index/base/visible.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace tsmfs {

namespace {

constexpr size_t kCharBytesMax = 4;

// One character of UTF-8, or one byte that is none.
struct Character {
  size_t bytes = 1;
  uint32_t code = 0;
  bool sound = false;
};

size_t bytes_of(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  if (first >= 0xf0 && first < 0xf5) return 4;
  return 0;  // goes on, or begins what is none
}

bool goes_on(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// Requires: `text` is not empty.
Character first_of(std::string_view text) {
  static constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const auto first = static_cast<unsigned char>(text[0]);
  const size_t bytes = bytes_of(first);
  if (bytes == 1) return {1, first, true};
  if (bytes == 0 || text.size() < bytes) return {1, first, false};
  uint32_t code = first & (0x7fU >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if (!goes_on(text[i])) return {1, first, false};
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code < kSmallest[bytes] || code > 0x10ffff || surrogate) return {1, first, false};
  return {bytes, code, true};
}

bool is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c ||
         (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

// Copies `text`; characters that `hidden` picks as `escape` writes them.
template <typename Hidden, typename Escape>
std::string escaped(std::string_view text, Hidden hidden, Escape escape) {
  std::string out;
  out.reserve(text.size() + 2);
  while (!text.empty()) {
    const Character one = first_of(text);
    if (!one.sound || hidden(one.code)) {
      out += escape(one);
    } else {
      out += text.substr(0, one.bytes);
    }
    text.remove_prefix(one.bytes);
  }
  return out;
}

std::string escape_text(const Character& one) {
  if (!one.sound || one.code < 0x80) return fmt::format("\\x{:02x}", one.code);
  return fmt::format("\\u{:04x}", one.code);
}

}  // namespace

std::string visible(std::string_view text, std::string_view also) {
  const auto hidden = [also](uint32_t code) {
    return is_control(code) ||
           (code < 0x80 && also.find(static_cast<char>(code)) != std::string_view::npos);
  };
  return escaped(text, hidden, escape_text);
}

std::string visible_lines(std::string_view text) {
  return escaped(
      text, [](uint32_t code) { return code != '\n' && is_control(code); }, escape_text);
}

std::string visible_message(std::string_view text) {
  std::string out;
  for (const char c : visible_lines(text)) {
    out += c;
    if (c == '\n') out += "  ";
  }
  return out;
}

std::string visible_json(std::string_view json) {
  return escaped(
      json, [](uint32_t code) { return code != '\n' && is_control(code); },
      [](const Character& one) { return fmt::format("\\u{:04x}", one.sound ? one.code : 0xfffd); });
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Character one = first_of(text);
    if (!one.sound) return false;
    text.remove_prefix(one.bytes);
  }
  return true;
}

size_t unfinished_bytes(std::string_view text) {
  for (size_t back = 1; back <= std::min(text.size(), kCharBytesMax - 1); ++back) {
    const char c = text[text.size() - back];
    if (goes_on(c)) continue;
    return bytes_of(static_cast<unsigned char>(c)) > back ? back : 0;
  }
  return 0;
}

}  // namespace tsmfs
