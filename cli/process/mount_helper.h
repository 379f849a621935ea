// tsmfs as mount(8)'s helper: /sbin/mount.fuse.tsmfs is a link to it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tsmfs::cli {

// Whether the program was called as the helper. `program` is argv[0].
bool is_mount_helper(std::string_view program);

// mount(8) calls its helper as "SOURCE DIR [-sfnv] [-N namespace] [-o options] [-t type]"; these
// are the arguments of tsmfs that do the same.
std::vector<std::string> mount_helper_arguments(const std::vector<std::string>& arguments);

}  // namespace tsmfs::cli
