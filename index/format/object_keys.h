// The key of each object of a repository (index/storage/storage.h), in one place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "index/format/digest.h"
#include "index/storage/known_keys.h"

namespace tsmfs::index {

// Of format 1: the highest number that a forgotten snapshot had; absent before one was forgotten.
inline constexpr const char* kLastNumberKey = "last-number";
// Folders.
inline constexpr const char* kAmendmentsFolder = "amendments";
// An object without bytes for the number of a snapshot that was forgotten; the highest counts.
inline constexpr const char* kForgottenFolder = "forgotten";
inline constexpr const char* kQuarantinedPacksFolder = "quarantine/packs";
inline constexpr const char* kQuarantinedSnapshotsFolder = "quarantine/snapshots";
inline constexpr const char* kQuarantinedAmendmentsFolder = "quarantine/amendments";

std::string pack_key(const PackId& id);
std::string snapshot_key(const SnapshotId& id);
std::string quarantined_pack_key(const PackId& id);
std::string quarantined_snapshot_key(const SnapshotId& id);
// The amendments of a snapshot count from 1; the last one is in force.
inline constexpr uint32_t kAmendmentNumberMax = uint32_t{1} << 31;
std::string amendment_key(const SnapshotId& id, uint32_t number);
std::string forgotten_key(uint32_t number);
// The last part of a key.
std::string_view name_in_key(std::string_view key);
// The pack that a key of the folder of packs is of; nothing for a name that is no pack's.
std::optional<PackId> pack_of_key(std::string_view key);
// Of which snapshot the key is an amendment, and which of them; nothing for another name.
struct AmendmentName {
  SnapshotId snapshot;
  uint32_t number = 0;
};
std::optional<AmendmentName> amendment_of_key(std::string_view key);

}  // namespace tsmfs::index
