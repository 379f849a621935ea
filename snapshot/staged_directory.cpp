#include "snapshot/staged_directory.h"

#include <fcntl.h>

#include <system_error>
#include <utility>

#include "index/base/error.h"

namespace tsmfs::snapshot {

namespace stdfs = std::filesystem;

namespace {

constexpr const char* kStageName = ".tsmfs-export.tmp";

}  // namespace

StagedDirectory::StagedDirectory(stdfs::path target) : target_(std::move(target)) {
  stage_ = target_ / kStageName;
  std::error_code error;
  made_target_ = !stdfs::exists(target_, error);
  make_directory(target_);
  if (stdfs::exists(stage_, error))
    throw UsageError(target_.string() + " holds what another export is writing, or left behind",
                     "when none is running: rm -r " + stage_.string());
  const bool empty = stdfs::is_empty(target_, error);
  if (error) throw IoError("cannot list " + target_.string(), error.value());
  if (!empty)
    throw UsageError(target_.string() + " is not empty",
                     "an export takes a directory of its own: influxd restore would mix it with "
                     "the backup that is there");
  make_directory(stage_);
}

StagedDirectory::~StagedDirectory() {
  std::error_code ignored;
  stdfs::remove_all(stage_, ignored);
  if (made_target_) stdfs::remove(target_, ignored);  // only if it is empty
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
  stdfs::remove(stage_);
  sync_directory(target_);
  made_target_ = false;
}

}  // namespace tsmfs::snapshot
