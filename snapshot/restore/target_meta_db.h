// The meta.db that is in a restore's target: read by the rights of whom it belongs to, and never
// through a link, since its owner may have planted one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "index/base/held_directory.h"
#include "snapshot/restore/restore_plan.h"

namespace tsmfs::snapshot {

inline constexpr const char* kMetaDb = "meta.db";

// Nothing when there is none. Throws: IoError, also for a link and for what is no file;
// CorruptError when it is longer than a metastore can be.
std::optional<std::string> read_target_meta_db(const Directory& metadir);
// As above; nothing for a directory that is not there.
std::optional<std::string> read_target_meta_db(const std::filesystem::path& metadir,
                                               const Owner& wanted);

}  // namespace tsmfs::snapshot
