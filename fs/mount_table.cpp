#include "fs/mount_table.h"

#include <algorithm>
#include <utility>

#include "index/base/error.h"
#include "index/base/file.h"

namespace tsmfs::fs {
namespace {

constexpr const char* kMountinfo = "/proc/self/mountinfo";
constexpr size_t kMountinfoBytesMax = size_t{64} << 20;

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// The kernel writes space, tab, newline and backslash as \040 and so on.
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
        is_octal(text[i + 3])) {
      out.push_back(static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                      (text[i + 3] - '0')));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// "36 35 98:0 /root /path options [tags...] - type source options"
std::optional<MountedAt> parse_line(std::string_view line) {
  const std::vector<std::string_view> fields = split(line, ' ');
  const auto dash = std::ranges::find(fields, "-");
  if (dash - fields.begin() < 6 || fields.end() - dash < 3) return std::nullopt;
  return MountedAt{unescape(fields[4]), unescape(dash[1]), unescape(dash[2]),
                   std::string(fields[2])};
}

}  // namespace

std::vector<MountedAt> parse_mount_table(std::string_view mountinfo) {
  std::vector<MountedAt> mounts;
  for (const std::string_view line : split(mountinfo, '\n')) {
    if (auto mount = parse_line(line)) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

std::optional<MountedAt> find_mount(const std::filesystem::path& path) {
  std::optional<MountedAt> found;
  for (MountedAt& mount : parse_mount_table(read_kernel_file(kMountinfo, kMountinfoBytesMax))) {
    if (mount.path == path.native()) found = std::move(mount);
  }
  return found;
}

}  // namespace tsmfs::fs
