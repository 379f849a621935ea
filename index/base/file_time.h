// The modification time of an open file.
#pragma once

#include <filesystem>

#include "index/base/file.h"
#include "index/base/timestamp.h"

namespace tsmfs {

// Sets the access time too. `path` names the file in messages. Throws: IoError.
void set_file_time(const Fd& file, Timestamp time, const std::filesystem::path& path);

}  // namespace tsmfs
