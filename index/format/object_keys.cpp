#include "index/format/object_keys.h"

namespace tsmfs::index {

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

std::optional<PackId> pack_of_key(std::string_view key) {
  const std::string_view name = name_in_key(key);
  const bool is_id = name.size() == 2 * kIdBytes &&
                     name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!is_id) return std::nullopt;
  return PackId::from_hex(name);
}

}  // namespace tsmfs::index
