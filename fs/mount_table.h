// What the kernel says is mounted where (/proc/self/mountinfo).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tsmfs::fs {

constexpr std::string_view kMountType = "fuse.tsmfs";

struct MountedAt {
  std::string path;    // where
  std::string type;    // "fuse.tsmfs", "ext4"
  std::string source;  // what: for ours the repository's path
  std::string device;  // "0:52", as in /sys/class/bdi/
};

// In the order in which they were mounted. A line that does not look like one is left out.
std::vector<MountedAt> parse_mount_table(std::string_view mountinfo);

// What is seen at `path`, if something is mounted exactly there. Requires: `path` is absolute and
// without links. Throws: IoError.
std::optional<MountedAt> find_mount(const std::filesystem::path& path);

}  // namespace tsmfs::fs
