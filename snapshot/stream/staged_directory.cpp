#include "snapshot/stream/staged_directory.h"

#include <cerrno>
#include <exception>
#include <utility>

#include "index/base/error.h"
#include "index/base/file_time.h"

namespace tsmfs::snapshot {

namespace {

constexpr const char* kStageName = ".tsmfs-export.tmp";

}  // namespace

StagedDirectory::StagedDirectory(const std::filesystem::path& target, std::optional<Timestamp> time)
    : time_(time) {
  auto reached = Directory::reach(target);
  if (reached.missing.size() > 1)
    throw IoError("cannot create " + target.string(), ENOENT, "make the directory above it first");
  if (reached.missing.empty()) {
    target_ = std::move(reached.directory);
    if (target_->status(kStageName))
      throw UsageError(target.string() + " holds what another export is writing, or left behind",
                       "when none is running: rm -r " + target_->path(kStageName).string());
    if (!target_->empty())
      throw UsageError(target.string() + " is not empty",
                       "an export takes a directory of its own: influxd restore would mix it with "
                       "the backup that is there");
    stage_ = target_->make_directory(kStageName);
    return;
  }
  above_ = std::move(reached.directory);
  name_ = std::move(reached.missing.front());
  target_ = above_->make_directory(name_);
  try {
    stage_ = target_->make_directory(kStageName);
  } catch (...) {
    remove_what_was_made();
    throw;
  }
}

StagedDirectory::~StagedDirectory() {
  remove_what_was_made();
}

void StagedDirectory::remove_what_was_made() noexcept {
  try {
    if (stage_) target_->remove_tree(kStageName);
    if (above_) above_->remove_empty_directory(name_);
  } catch (const std::exception&) {
    // What led here is told; the next export says that there is something.
  }
}

void StagedDirectory::write(const std::string& name,
                            const std::function<void(ByteSink&)>& fill) const {
  const Fd file = stage_->create_file(name);
  FileSink sink(file, stage_->path(name));
  fill(sink);
  if (time_) set_file_time(file, *time_, stage_->path(name));
  sync_file(file, stage_->path(name));
}

void StagedDirectory::publish(const std::vector<std::string>& names) {
  for (const std::string& name : names) stage_->rename_new(name, *target_, name);
  target_->remove_empty_directory(kStageName);
  stage_.reset();
  target_->sync();
  if (above_) above_->sync();
  above_.reset();
}

}  // namespace tsmfs::snapshot
