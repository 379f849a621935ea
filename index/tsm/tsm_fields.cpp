#include "index/tsm/tsm_fields.h"

#include <string_view>
#include <utility>

#include "index/tsm/tsm_index.h"

namespace tsmfs::index {

std::string_view escaped_measurement(std::string_view series) {
  if (series.starts_with(',')) return {};
  for (size_t i = 1; i < series.size(); ++i)
    if (series[i - 1] != '\\' && (series[i] == ',' || series[i] == ' ')) return series.substr(0, i);
  return series;
}

std::string unescape_measurement(std::string_view escaped) {
  std::string text;
  for (size_t i = 0; i < escaped.size(); ++i) {
    const bool escapes = escaped[i] == '\\' && i + 1 < escaped.size() &&
                         (escaped[i + 1] == ',' || escaped[i + 1] == ' ');
    text += escaped[escapes ? ++i : i];
  }
  return text;
}

std::string field_of_key(std::string_view key) {
  const size_t separator = key.find(kTsmFieldSeparator);
  if (separator == std::string_view::npos) return {};
  return std::string(escaped_measurement(key.substr(0, separator))).append(key.substr(separator));
}

bool add_field_types(ByteSource& source, TsmFieldTypes& types) try {
  TsmIndexCursor cursor(source, read_tsm_index_offset(source));
  while (cursor.next())
    if (std::string field = field_of_key(cursor.key()); !field.empty())
      types[std::move(field)].insert(cursor.type());
  return true;
} catch (const TsmFormatError&) {
  return false;
}

const char* tsm_type_name(uint8_t type) {
  switch (type) {
    case kTsmFloatType:
      return "float";
    case kTsmIntegerType:
      return "integer";
    case kTsmBooleanType:
      return "boolean";
    case kTsmStringType:
      return "string";
    case kTsmUnsignedType:
      return "unsigned";
    default:
      return "unknown";
  }
}

}  // namespace tsmfs::index
