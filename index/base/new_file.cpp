#include "index/base/new_file.h"

#include <exception>
#include <utility>

namespace tsmfs {

NewFile::NewFile(const Directory& directory, std::string temporary)
    : directory_(directory), temporary_(std::move(temporary)) {
  directory_.remove_tree(temporary_);
  fd_ = directory_.create_file(temporary_);
}

NewFile::~NewFile() {
  if (published_) return;
  try {
    directory_.remove_tree(temporary_);
  } catch (const std::exception&) {
    // What led here is told; the next one removes it.
  }
}

void NewFile::publish(const std::string& name) {
  sync_file(fd_, path());
  directory_.rename(temporary_, directory_, name);
  published_ = true;
  directory_.sync();
}

void NewFile::publish_new(const std::string& name) {
  sync_file(fd_, path());
  directory_.rename_new(temporary_, directory_, name);
  published_ = true;
  directory_.sync();
}

}  // namespace tsmfs
