#include "cli/serve/overlay.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "index/base/log.h"

namespace tsmfs::cli {

namespace {

constexpr const char* kFuseOverlay = "fuse-overlayfs";
constexpr const char* kHiddenByName = ".wh.";  // before a name: fuse-overlayfs hides that
constexpr auto kMountInterval = std::chrono::milliseconds(10);
constexpr auto kMountPatience = std::chrono::seconds(10);

// That a directory replaces one below it is noted in an attribute, which only root can write unless
// it is a user's (Linux 5.11 on).
bool takes_user_attributes(const std::filesystem::path& directory) {
  return ::setxattr(directory.c_str(), "user.tsmfs", "1", 1, 0) == 0;
}

// 0 when it is mounted, or else an errno.
int mount_by_kernel(const OverlayPlaces& places, const std::string& layers) {
  const bool user = takes_user_attributes(places.upper);
  // Without waiting for the disk: nobody needs what was written when the machine has died.
  const std::string fast = places.lasting ? "" : ",volatile";
  std::vector<std::string> ways;
  if (user) ways = {",userxattr" + fast, ",userxattr"};
  ways.push_back(fast);
  ways.emplace_back();
  int error = 0;
  for (const std::string& way : ways) {
    if (::mount("overlay", places.seen.c_str(), "overlay", MS_NOSUID | MS_NODEV,
                (layers + way).c_str()) == 0)
      return 0;
    error = errno;
    log::debug("no overlay with {}{}: error {}", layers, way, error);
  }
  return error;
}

}  // namespace

Overlay::Overlay(const OverlayPlaces& places) : seen_(places.seen) {
  for (const auto& directory : {places.upper, places.work, places.seen})
    make_directories(directory);
  const std::string layers =
      fmt::format("lowerdir={},upperdir={},workdir={}", places.lower.string(),
                  places.upper.string(), places.work.string());
  const int error = places.for_kernel ? mount_by_kernel(places, layers) : EPERM;
  if (error != 0) mount_by_program(places, layers, error);
}

void Overlay::mount_by_program(const OverlayPlaces& places, const std::string& layers,
                               int kernel_error) {
  const auto before = status_of(places.seen).st_dev;
  try {
    program_.emplace(Program{{kFuseOverlay, "-f", "-o", layers, places.seen.string()}});
  } catch (const IoError& error) {
    if (!is_absence(error.error_number())) throw;
    throw IoError("the kernel gives no overlay file system here", kernel_error,
                  "install fuse-overlayfs, or let --copy copy the data");
  }
  const auto give_up = std::chrono::steady_clock::now() + kMountPatience;
  while (status_of(places.seen).st_dev == before) {
    const auto ended = program_->ended();
    if (ended || std::chrono::steady_clock::now() > give_up)
      throw IoError(
          fmt::format("neither the kernel nor {} gives an overlay file system here", kFuseOverlay),
          kernel_error, "--copy needs none, and copies the data");
    std::this_thread::sleep_for(kMountInterval);
  }
}

Overlay::~Overlay() {
  if (::umount2(seen_.c_str(), MNT_DETACH) != 0)
    log::debug("cannot unmount {}: error {}", seen_.string(), errno);
}

bool Overlay::hide(const std::filesystem::path& in_upper) {
  if (::mknod(in_upper.c_str(), S_IFCHR, ::makedev(0, 0)) == 0 || errno == EEXIST) return true;
  if (errno != EPERM) throw_errno("cannot hide " + in_upper.string());
  // Another overlay lets nobody make what would hide something in itself.
  open_file(in_upper.parent_path() / (kHiddenByName + in_upper.filename().string()),
            O_WRONLY | O_CREAT);
  return false;
}

}  // namespace tsmfs::cli
