// A file that takes its name in a held directory when it is whole.
#pragma once

#include <string>

#include "index/base/held_directory.h"

namespace tsmfs {

// Written under a temporary name; destroyed unpublished, it is removed. Requires: the directory
// outlives it.
class NewFile {
 public:
  // What lies under the temporary name, left by one that was killed, is removed.
  NewFile(const Directory& directory, std::string temporary);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  const Fd& fd() const { return fd_; }
  std::filesystem::path path() const { return directory_.path(temporary_); }
  void write(ByteView bytes) { write_all(fd_, bytes, path()); }
  void give(unsigned mode, const FileOwner& owner) {
    directory_.give(fd_, temporary_, mode, owner);
  }
  // Syncs it and gives it its name; durable on return. Another file of that name is replaced by
  // publish(), and an IoError (EEXIST) of publish_new().
  void publish(const std::string& name);
  void publish_new(const std::string& name);

 private:
  const Directory& directory_;
  const std::string temporary_;
  Fd fd_;
  bool published_ = false;
};

}  // namespace tsmfs
