#include "index/format/object_keys.h"

#include "index/base/parse_number.h"

namespace tsmfs::index {

namespace {

bool is_id(std::string_view text) {
  return text.size() == 2 * kIdBytes &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string pack_key(const PackId& id) {
  const std::string name = id.hex();
  return std::string(kPacksFolder) + "/" + name.substr(0, 2) + "/" + name;
}

std::string snapshot_key(const SnapshotId& id) {
  return std::string(kSnapshotsFolder) + "/" + id.hex();
}

std::string quarantined_pack_key(const PackId& id) {
  return std::string(kQuarantinedPacksFolder) + "/" + id.hex();
}

std::string_view name_in_key(std::string_view key) {
  return key.substr(key.rfind('/') + 1);
}

std::string quarantined_snapshot_key(const SnapshotId& id) {
  return std::string(kQuarantinedSnapshotsFolder) + "/" + id.hex();
}

std::string amendment_key(const SnapshotId& id, uint32_t number) {
  return std::string(kAmendmentsFolder) + "/" + id.hex() + "." + std::to_string(number);
}

std::string forgotten_key(uint32_t number) {
  return std::string(kForgottenFolder) + "/" + std::to_string(number);
}

std::optional<PackId> pack_of_key(std::string_view key) {
  const std::string_view name = name_in_key(key);
  if (!is_id(name)) return std::nullopt;
  return PackId::from_hex(name);
}

std::optional<AmendmentName> amendment_of_key(std::string_view key) {
  const std::string_view name = name_in_key(key);
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos || !is_id(name.substr(0, dot))) return std::nullopt;
  const auto number = parse_number<uint32_t>(name.substr(dot + 1));
  if (!number || *number == 0 || *number > kAmendmentNumberMax) return std::nullopt;
  const AmendmentName amendment{SnapshotId::from_hex(name.substr(0, dot)), *number};
  if (amendment_key(amendment.snapshot, amendment.number) != key) return std::nullopt;
  return amendment;
}

}  // namespace tsmfs::index
