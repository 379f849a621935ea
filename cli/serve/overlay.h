// A directory that can be written to, over one that cannot: an overlay file system.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/process/child.h"

namespace tsmfs::cli {

struct OverlayPlaces {
  std::filesystem::path lower;  // without ',' and ':'
  std::filesystem::path upper;  // made, if it is absent: what is written
  std::filesystem::path work;   // likewise, on the same file system
  std::filesystem::path seen;   // likewise: where both are seen as one
  bool lasting = false;         // what is written will be used again
  bool for_kernel = true;       // all that hide() hid in `upper` the kernel knows of
};

// For a process with mounts of its own (cli/process/private_process.h). Not thread safe.
class Overlay {
 public:
  // All places are below the working directory, and relative to it. By the kernel, or by
  // fuse-overlayfs where the kernel cannot. Throws: IoError; Error saying what is missing.
  explicit Overlay(const OverlayPlaces& places);
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;
  // Unmounts, lazily when somebody still uses it.
  ~Overlay();

  // Hides what the lower directory has under a path of the upper one, whose parent is there. False
  // when that is for fuse-overlayfs alone. Requires: the overlay is not mounted yet. Throws:
  // IoError.
  static bool hide(const std::filesystem::path& in_upper);

 private:
  void mount_by_program(const OverlayPlaces& places, const std::string& layers, int kernel_error);
  std::filesystem::path seen_;
  std::optional<Child> program_;  // that serves it
};

}  // namespace tsmfs::cli
