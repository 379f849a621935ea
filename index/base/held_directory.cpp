#include "index/base/held_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <random>

#include "index/base/error.h"
#include "index/base/rename_at.h"
#include "index/base/retry_eintr.h"

namespace tsmfs {

namespace {

namespace stdfs = std::filesystem;

constexpr unsigned kDepthMax = 64;  // of what is removed; a shard has 3
constexpr mode_t kModeBits = 07777;

// A name as the kernel takes it, checked.
class PathPart {
 public:
  explicit PathPart(std::string_view name) : name_(name) {
    if (name.empty() || name == "." || name == ".." ||
        name.find_first_of(std::string_view("/\0", 2)) != std::string_view::npos)
      throw UsageError(fmt::format("'{}' cannot name a file", name));
  }
  const char* c_str() const { return name_.c_str(); }

 private:
  std::string name_;
};

Fd open_at(const Fd& directory, const char* name, int flags, unsigned mode = 0) {
  return Fd(retry_eintr(
      [&] { return ::openat(directory.number(), name, flags | O_NOFOLLOW | O_CLOEXEC, mode); }));
}

}  // namespace

void Directory::fail(const std::string& what) const {
  const int error = errno;
  const bool refused = error == EACCES || error == EPERM;
  if (refused && rights_ != process_rights())
    throw IoError(
        what, error,
        fmt::format("root works there with the rights of {}, to whom the directory or a link "
                    "on the way belongs: namei -l shows whose each part of the path is",
                    describe_user(rights_->user)));
  throw IoError(what, error);
}

struct stat Directory::status() const {
  return file_status(fd_, path_);
}

stdfs::path Directory::real_path() const {
  std::string target(PATH_MAX, '\0');
  const std::string link = fmt::format("/proc/self/fd/{}", fd_.number());
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  if (length < 0) throw_errno("cannot read " + link);
  target.resize(static_cast<size_t>(length));
  if (status().st_nlink == 0) return {};
  return target;
}

void Directory::may_act_as(uid_t user) {
  if (process_rights()->user == 0) named_ = rights_of(user);
}

std::optional<struct stat> Directory::status(std::string_view name) const {
  const PathPart checked(name);
  const ActAs act(rights_);
  struct stat status {};
  if (::fstatat(fd_.number(), checked.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  if (errno != ENOENT) fail("cannot stat " + path(name).string());
  return std::nullopt;
}

void Directory::require_writable() const {
  const ActAs act(rights_);
  if (::faccessat(fd_.number(), ".", W_OK | X_OK, AT_EACCESS) != 0)
    fail("cannot write to " + path_.string());
}

std::vector<std::string> Directory::list() const {
  const ActAs act(rights_);
  const std::string what = "cannot list " + path_.string();
  // Not a duplicate, which would share the place in the list.
  Fd fd = open_at(fd_, ".", O_RDONLY | O_DIRECTORY);
  if (!fd) fail(what);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd.number()), ::closedir);
  if (!stream) fail(what);
  fd.release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());  // NOLINT(concurrency-mt-unsafe): its own stream
    if (!entry && errno != 0) fail(what);
    if (!entry) return names;
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
}

Directory Directory::child(std::string_view name) const {
  const PathPart checked(name);
  Fd fd;
  {
    const ActAs act(rights_);
    fd = open_at(fd_, checked.c_str(), O_RDONLY | O_DIRECTORY);
    if (!fd && (errno == ENOTDIR || errno == ELOOP))
      throw UsageError(path(name).string() + " is not a directory");
    if (!fd) fail("cannot open " + path(name).string());
  }
  Directory inner(std::move(fd), path(name), rights_, named_);
  inner.narrow_to_owner();
  return inner;
}

Directory Directory::enter(std::string_view name) const {
  return child(name);
}

Directory Directory::make_directory(std::string_view name) const {
  const PathPart checked(name);
  const ActAs act(rights_);
  if (::mkdirat(fd_.number(), checked.c_str(), 0700) != 0)
    fail("cannot create " + path(name).string());
  Fd fd = open_at(fd_, checked.c_str(), O_RDONLY | O_DIRECTORY);
  if (!fd) fail("cannot open " + path(name).string());
  return {std::move(fd), path(name), rights_, named_};
}

void Directory::give(unsigned mode, const FileOwner& owner) {
  give_fd(fd_, path_, mode, owner);
  narrow_to_owner();
}

void Directory::give(const Fd& file, std::string_view name, unsigned mode,
                     const FileOwner& owner) const {
  give_fd(file, path(name), mode, owner);
}

void Directory::give_fd(const Fd& fd, const stdfs::path& path, unsigned mode,
                        const FileOwner& owner) const {
  const struct stat status = file_status(fd, path);
  if ((status.st_mode & kModeBits) != mode) {
    const ActAs act(rights_);
    if (::fchmod(fd.number(), mode) != 0) fail("cannot set the mode of " + path.string());
  }
  if (status.st_uid == owner.user && status.st_gid == owner.group) return;
  // Not what somebody has put in its place meanwhile, which root would give away.
  if (status.st_uid != rights_->user)
    throw BusyError(fmt::format("{} belongs to {}, though {} has just made it", path.string(),
                                describe_user(status.st_uid), describe_user(rights_->user)),
                    "find out who else writes there, and run the command again");
  if (::fchown(fd.number(), owner.user, owner.group) != 0)
    throw_errno(
        fmt::format("cannot give {} to user {}, group {}", path.string(), owner.user, owner.group),
        "run this as root");
}

Fd Directory::open_file(std::string_view name) const {
  const PathPart checked(name);
  const auto there = named_ ? status(name) : std::nullopt;
  const ActAs act(there && there->st_uid == named_->user ? named_ : rights_);
  // O_NONBLOCK: a FIFO would wait for its other end.
  Fd fd = open_at(fd_, checked.c_str(), O_RDONLY | O_NONBLOCK);
  const bool is_special = !fd && (errno == ELOOP || errno == ENXIO);
  if (!fd && !is_special) fail("cannot open " + path(name).string());
  if (is_special || !S_ISREG(file_status(fd, path(name)).st_mode))
    throw UsageError(path(name).string() + " is a link, or no file", "put a plain file there");
  return fd;
}

Fd Directory::create_file(std::string_view name) const {
  const PathPart checked(name);
  const ActAs act(rights_);
  Fd fd = open_at(fd_, checked.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!fd) fail("cannot create " + path(name).string());
  return fd;
}

Fd Directory::create_unnamed() const {
  const ActAs act(rights_);
  const std::string what = "cannot make a temporary file in " + path_.string();
  Fd fd = open_at(fd_, ".", O_TMPFILE | O_RDWR, 0600);
  if (fd) return fd;
  if (errno != EOPNOTSUPP && errno != EISDIR) fail(what);
  // A file system without O_TMPFILE (NFS, some overlays): make a name and take it away again.
  std::random_device random;
  do {
    const std::string name = fmt::format("spool-{:08x}{:08x}", random(), random());
    fd = open_at(fd_, name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd && ::unlinkat(fd_.number(), name.c_str(), 0) != 0) fail(what);
  } while (!fd && errno == EEXIST);
  if (!fd) fail(what);
  return fd;
}

void Directory::rename(std::string_view name, const Directory& to,
                       std::string_view new_name) const {
  const PathPart from_name(name), to_name(new_name);
  const ActAs act(rights_);
  if (::renameat(fd_.number(), from_name.c_str(), to.fd_.number(), to_name.c_str()) != 0)
    fail(fmt::format("cannot rename {} to {}", path(name).string(), to.path(new_name).string()));
}

void Directory::rename_new(std::string_view name, const Directory& to,
                           std::string_view new_name) const {
  const PathPart from_name(name), to_name(new_name);
  const std::string what =
      fmt::format("cannot rename {} to {}", path(name).string(), to.path(new_name).string());
  {
    const ActAs act(rights_);
    const auto result = rename_at(fd_.number(), from_name.c_str(), to.fd_.number(), to_name.c_str(),
                                  RENAME_NOREPLACE);
    if (result == RenameResult::kDone) return;
    if (result == RenameResult::kFailed) fail(what);
  }
  // A file system that cannot: there is a moment between the look and the renaming.
  if (to.status(new_name)) throw IoError(what, EEXIST);
  rename(name, to, new_name);
}

void Directory::link(std::string_view name, const Directory& to, std::string_view new_name) const {
  const PathPart from_name(name), to_name(new_name);
  const ActAs act(rights_);
  if (::linkat(fd_.number(), from_name.c_str(), to.fd_.number(), to_name.c_str(), 0) != 0)
    fail(fmt::format("cannot link {} to {}", path(name).string(), to.path(new_name).string()));
}

void Directory::touch(std::string_view name) const {
  const PathPart checked(name);
  const ActAs act(rights_);
  if (::utimensat(fd_.number(), checked.c_str(), nullptr, AT_SYMLINK_NOFOLLOW) != 0)
    fail("cannot set the time of " + path(name).string());
}

bool Directory::exchange(std::string_view one, std::string_view other) const {
  const PathPart first(one), second(other);
  const ActAs act(rights_);
  const auto result =
      rename_at(fd_.number(), first.c_str(), fd_.number(), second.c_str(), RENAME_EXCHANGE);
  if (result == RenameResult::kFailed)
    fail(fmt::format("cannot exchange {} and {}", path(one).string(), path(other).string()));
  return result == RenameResult::kDone;
}

void Directory::remove_tree(std::string_view name) const {
  remove_tree(name, 0);
}

void Directory::remove_tree(std::string_view name, unsigned depth) const {
  const PathPart checked(name);
  const std::string what = "cannot remove " + path(name).string();
  {
    const ActAs act(rights_);
    if (::unlinkat(fd_.number(), checked.c_str(), 0) == 0 || errno == ENOENT) return;
    if (errno != EISDIR) fail(what);
  }
  if (depth == kDepthMax)
    throw Error(fmt::format("{}: it is more than {} directories deep", what, kDepthMax),
                "look at it, and remove it by hand");
  const Directory inner = child(name);
  if (inner.status().st_dev != status().st_dev) {
    errno = EXDEV;
    fail(what);
  }
  for (const std::string& each : inner.list()) inner.remove_tree(each, depth + 1);
  remove_empty_directory(name);
}

void Directory::remove_empty_directory(std::string_view name) const {
  const PathPart checked(name);
  const ActAs act(rights_);
  if (::unlinkat(fd_.number(), checked.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
    fail("cannot remove " + path(name).string());
}

}  // namespace tsmfs
