// The keys that a storage has to know; index/format/object_keys.h has those of all objects.
#pragma once

namespace tsmfs::index {

// Put last when a repository is made: from then on it is one.
inline constexpr const char* kConfigKey = "config";
// Folders.
inline constexpr const char* kPacksFolder = "packs";
inline constexpr const char* kSnapshotsFolder = "snapshots";

}  // namespace tsmfs::index
