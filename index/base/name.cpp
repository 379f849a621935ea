#include "index/base/name.h"

#include <algorithm>

#include "index/base/error.h"
#include "index/base/visible.h"

namespace tsmfs {

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && name != "." && name != ".." &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

bool is_influxd_name(std::string_view name) {
  return is_valid_name(name) && std::ranges::none_of(name, [](unsigned char c) {
           return c < 0x20 || c == 0x7f || c == '\\';
         });
}

std::optional<Name> Name::parse(std::string_view text) {
  if (!is_valid_name(text)) return std::nullopt;
  return Name(text);
}

Name Name::require(std::string_view text, std::string_view object) {
  if (!is_valid_name(text))
    throw CorruptError(fmt::format("{} holds the name '{}', which no directory can have", object,
                                   visible(text.substr(0, kNameBytesMax))));
  return Name(text);
}

std::string with_slashes(std::string path) {
  if (path.find('/') == std::string::npos) std::ranges::replace(path, '\\', '/');
  return path;
}

}  // namespace tsmfs
