#include "snapshot/staged_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "index/base/directory.h"
#include "index/base/error.h"

namespace tsmfs::snapshot {

namespace stdfs = std::filesystem;

namespace {

constexpr const char* kStageName = ".tsmfs-export.tmp";

}  // namespace

StagedDirectory::StagedDirectory(stdfs::path target) : target_(std::move(target)) {
  stage_ = target_ / kStageName;
  made_target_ = !path_exists(target_);
  make_directory(target_);
  if (path_exists(stage_))
    throw UsageError(target_.string() + " holds what another export is writing, or left behind",
                     "when none is running: rm -r " + stage_.string());
  if (holds_something(target_))
    throw UsageError(target_.string() + " is not empty",
                     "an export takes a directory of its own: influxd restore would mix it with "
                     "the backup that is there");
  make_directory(stage_);
}

StagedDirectory::~StagedDirectory() {
  try_remove_tree(stage_);
  if (made_target_) ::rmdir(target_.c_str());  // only if it is empty
}

void StagedDirectory::write(const std::string& name,
                            const std::function<void(ByteSink&)>& fill) const {
  const stdfs::path path = stage_ / name;
  const Fd file = open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  FileSink sink(file, path);
  fill(sink);
  sync_file(file, path);
}

void StagedDirectory::publish(const std::vector<std::string>& names) {
  for (const std::string& name : names) rename_file(stage_ / name, target_ / name);
  remove_directory(stage_);
  sync_directory(target_);
  made_target_ = false;
}

}  // namespace tsmfs::snapshot
