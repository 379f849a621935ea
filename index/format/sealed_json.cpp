#include "index/format/sealed_json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "index/base/error.h"
#include "index/format/digest.h"

namespace tsmfs::index {

namespace {

std::string first_line(std::string_view kind, std::string_view body) {
  return fmt::format("tsmfs {} {:016x}\n", kind, checksum(as_bytes(body), 0));
}

}  // namespace

std::string seal_json(std::string_view kind, const nlohmann::json& content) {
  const std::string body =
      content.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return first_line(kind, body) + body;
}

nlohmann::json unseal_json(std::string_view kind, std::string_view stored,
                           std::string_view object) {
  const size_t line_end = stored.find('\n');
  if (line_end == std::string_view::npos || !stored.starts_with(fmt::format("tsmfs {} ", kind)))
    throw CorruptError(fmt::format("{} does not begin like a tsmfs {}", object, kind));
  const std::string_view body = stored.substr(line_end + 1);
  if (stored.substr(0, line_end + 1) != first_line(kind, body))
    throw CorruptError(fmt::format("{} is damaged: its checksum is wrong", object));
  nlohmann::json content = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (content.is_discarded() || !content.is_object())
    throw CorruptError(fmt::format("{} is damaged: it does not hold a JSON object", object));
  return content;
}

uint64_t count_field(const nlohmann::json& stored, const char* name, uint64_t max) {
  const nlohmann::json& value = stored.at(name);
  if (!value.is_number_unsigned() || value.get<uint64_t>() > max)
    throw CorruptError(fmt::format("the field {} is not a count up to {}", name, max));
  return value.get<uint64_t>();
}

}  // namespace tsmfs::index
