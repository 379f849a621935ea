// The key of each object of a repository (index/storage/storage.h), in one place.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "index/format/digest.h"

namespace tsmfs::index {

inline constexpr const char* kConfigKey = "config";
// The highest number that a forgotten snapshot had; absent before one was forgotten.
inline constexpr const char* kLastNumberKey = "last-number";
// Folders.
inline constexpr const char* kPacksFolder = "packs";
inline constexpr const char* kSnapshotsFolder = "snapshots";
inline constexpr const char* kQuarantinedPacksFolder = "quarantine/packs";
inline constexpr const char* kQuarantinedSnapshotsFolder = "quarantine/snapshots";

std::string pack_key(const PackId& id);
std::string snapshot_key(const SnapshotId& id);
std::string quarantined_pack_key(const PackId& id);
// The last part of a key.
std::string_view name_in_key(std::string_view key);
// The pack that a key of the folder of packs is of; nothing for a name that is no pack's.
std::optional<PackId> pack_of_key(std::string_view key);

}  // namespace tsmfs::index
