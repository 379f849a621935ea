// Small JSON files with a checksum: the config and the manifests. docs/FORMAT.md, "Sealed JSON".
//
// A first line `tsmfs <kind> <XXH3-64 of what follows, 16 hex digits>`, then the JSON text.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace tsmfs::index {

constexpr uint64_t kSealedJsonBytesMax = uint64_t{16} << 20;

// Bytes that are not UTF-8 become U+FFFD.
std::string seal_json(std::string_view kind, const nlohmann::json& content);
// Throws: CorruptError, naming `object`, when the line, the checksum or the JSON is not right.
nlohmann::json unseal_json(std::string_view kind, std::string_view stored, std::string_view object);

// A field that counts something: numbers in JSON may come negative, fractional, or too large.
// Throws: CorruptError, naming the field; nlohmann::json::exception when there is no such field.
uint64_t count_field(const nlohmann::json& stored, const char* name, uint64_t max);

}  // namespace tsmfs::index
