#include "fs/mount_options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "index/base/error.h"
#include "index/base/owner.h"
#include "index/base/parse_number.h"
#include "index/base/timestamp.h"
#include "snapshot/model/tree.h"

namespace tsmfs::fs {
namespace {

constexpr std::array<std::string_view, 4> kKernelWords = {"noatime", "nodiratime", "noexec",
                                                          "relatime"};
// True of the mount anyway, or meant for mount(8) and systemd.
constexpr std::array<std::string_view, 16> kHarmlessWords = {
    "ro",    "defaults", "auto",   "noauto", "_netdev", "nofail", "user",  "nouser",
    "users", "nousers",  "nosuid", "nodev",  "exec",    "async",  "atime", "default_permissions"};

bool contains(const auto& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

mode_t parse_umask(std::string_view text) {
  const auto mask = parse_number<mode_t>(text, 8);
  if (!mask || *mask > 0777)
    throw UsageError(fmt::format("'{}' is no umask", text), "give octal digits, as in umask=027");
  return *mask;
}

// Any time must make a name that a directory can have and that no other entry of a list has.
std::string parse_time_format(std::string_view text) {
  std::string format(text);
  const std::string name = format_utc(now(), format);
  if (!is_valid_name(name) || name == "latest")
    throw UsageError(
        fmt::format("'{}' makes no name for a directory", text),
        "give a format of strftime(3) without '/' and commas, as in time_format=%Y-%m-%d_%H-%M-%S");
  return format;
}

void apply_word(std::string_view word, MountOptions& options) {
  if (word.empty() || contains(kHarmlessWords, word) || word.starts_with("x-") ||
      word.starts_with("comment=") || word.starts_with("user="))
    return;
  if (word == "nonempty") {
    options.nonempty = true;
  } else if (word == "allow_other") {
    options.allow_other = true;
  } else if (word.starts_with("uid=")) {
    options.uid = *find_user(word.substr(4)).user;
  } else if (word.starts_with("gid=")) {
    options.gid = find_group(word.substr(4));
  } else if (word.starts_with("umask=")) {
    options.umask = parse_umask(word.substr(6));
  } else if (word.starts_with("cache=")) {
    apply_cache_size(word.substr(6), options);
  } else if (word.starts_with("time_format=")) {
    options.time_format = parse_time_format(word.substr(12));
  } else if (contains(kKernelWords, word)) {
    options.flags.emplace_back(word);
  } else if (word == "rw") {
    throw UsageError("a history cannot be mounted for writing",
                     "leave 'rw' out; copy what you need out of the mount");
  } else {
    throw UsageError(fmt::format("unknown mount option '{}'", word),
                     "tsmfs mount --help lists them");
  }
}

}  // namespace

MountOptions MountOptions::for_caller() {
  MountOptions options;
  options.uid = ::getuid();
  options.gid = ::getgid();
  return options;
}

void apply_mount_words(std::string_view words, MountOptions& options) {
  while (!words.empty()) {
    const size_t comma = std::min(words.find(','), words.size());
    apply_word(words.substr(0, comma), options);
    words.remove_prefix(std::min(comma + 1, words.size()));
  }
}

void apply_cache_size(std::string_view size, MountOptions& options) {
  constexpr size_t kBytesMin = size_t{8} << 20;  // some frames for each of the threads
  constexpr std::string_view kUnits = "KMGT";
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), value);
  std::string_view rest = size.substr(static_cast<size_t>(end - size.data()));
  const size_t unit = rest.empty() ? std::string_view::npos : kUnits.find(rest.front());
  if (unit != std::string_view::npos) rest.remove_prefix(1);
  const size_t shift = unit == std::string_view::npos ? 0 : 10 * (unit + 1);
  if (error != std::errc() || !rest.empty() || value > UINT64_MAX >> shift)
    throw UsageError(fmt::format("'{}' is no size", size), "give one as in 256M or 1G");
  options.cache_bytes = value << shift;
  if (options.cache_bytes < kBytesMin)
    throw UsageError(fmt::format("a cache of {} is too small", size), "give 8M or more");
}

void apply_owner(std::string_view owner, MountOptions& options) {
  const Owner wanted = parse_owner(owner);
  options.uid = wanted.user.value_or(options.uid);
  options.gid = wanted.group.value_or(options.gid);
}

}  // namespace tsmfs::fs
