// What a person meant who named a directory that is not a server's data or WAL directory.
#pragma once

#include <filesystem>
#include <string>

#include "snapshot/import/shard_dir.h"

namespace tsmfs::snapshot {

// Why `place`, given with `option` and without a file of its kind where one belongs, is refused,
// and the likely right path; empty strings when nothing near says that another place was meant.
struct WrongPlace {
  std::string what, advice;
};
WrongPlace judge_place(const std::filesystem::path& place, DirKind kind, const char* option);

}  // namespace tsmfs::snapshot
