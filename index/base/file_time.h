// Times as files have them.
#pragma once

#include <time.h>

#include <filesystem>

#include "index/base/file.h"
#include "index/base/timestamp.h"

namespace tsmfs {

// Nanoseconds count up from a second, before 1970 too.
timespec to_timespec(Timestamp time);
Timestamp from_timespec(const timespec& time);

// Sets the modification time of an open file, and the access time too. `path` names the file in
// messages. Throws: IoError.
void set_file_time(const Fd& file, Timestamp time, const std::filesystem::path& path);

}  // namespace tsmfs
