// How a Directory is reached: component by component, and with whose rights.
#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <cerrno>

#include "index/base/error.h"
#include "index/base/held_directory.h"

namespace tsmfs {

namespace {

namespace stdfs = std::filesystem;

constexpr int kLinksMax = 40;  // as the kernel's
constexpr int kPlace = O_PATH | O_NOFOLLOW | O_CLOEXEC;

Fd place_at(const Fd& directory, const std::string& name, int flags) {
  return Fd(::openat(directory.number(), name.c_str(), kPlace | flags));
}

// Is what was not opened there, but no directory?
bool is_something_else(int error) {
  return error == ENOTDIR || error == ELOOP;
}

}  // namespace

Directory Directory::start_of(const stdfs::path& path) {
  const char* start = path.is_absolute() ? "/" : ".";
  return {tsmfs::open_file(start, O_PATH | O_DIRECTORY), path.is_absolute() ? "/" : "",
          process_rights(), nullptr};
}

Directory::Reached Directory::reach(const stdfs::path& path) {
  std::deque<Step> steps;
  for (const stdfs::path& part : path.relative_path()) steps.push_back({part.string()});
  return walk(start_of(path), std::move(steps));
}

Directory Directory::open(const stdfs::path& path) {
  Reached reached = reach(path);
  if (!reached.missing.empty()) throw IoError("cannot open " + path.string(), ENOENT);
  return std::move(reached.directory);
}

std::optional<Directory> Directory::find_directory(std::string_view name) const {
  if (!status(name)) return std::nullopt;  // checks the name too
  Fd same(::fcntl(fd_.number(), F_DUPFD_CLOEXEC, 0));
  if (!same) throw_errno("cannot open " + path_.string());
  Reached reached =
      walk({std::move(same), path_, rights_, named_}, {Step{std::string(name), false}});
  if (!reached.missing.empty()) return std::nullopt;
  return std::move(reached.directory);
}

Directory::Reached Directory::walk(Directory at, std::deque<Step> rest) {
  std::vector<std::string> missing;
  for (int links = 0; !rest.empty() && missing.empty();) {
    const Step step = std::move(rest.front());
    rest.pop_front();
    if (step.name.empty() || step.name == ".") continue;
    if (auto inner = at.step_into(step)) {
      at = std::move(*inner);
      continue;
    }
    const stdfs::path shown = step.of_link ? at.path_ : at.path(step.name);
    Fd place;
    {
      const ActAs act(at.rights_);
      place = place_at(at.fd_, step.name, 0);
      if (!place && errno != ENOENT) at.fail("cannot open " + shown.string());
    }
    if (place) {
      if (!S_ISLNK(file_status(place, shown).st_mode))
        throw UsageError(shown.string() + " is not a directory");
      if (++links > kLinksMax) throw IoError("cannot open " + shown.string(), ELOOP);
      at.follow(place, step, rest);
      continue;
    }
    if (step.of_link)
      throw IoError(fmt::format("cannot follow the link {}", shown.string()), ENOENT,
                    "make the directory that it leads to, or remove it");
    missing.push_back(step.name);
  }
  for (Step& step : rest) {
    if (step.name.empty() || step.name == ".") continue;
    if (step.name == "..")
      throw IoError("cannot open " + at.path(missing.front()).string(), ENOENT,
                    "name the directory without '..'");
    missing.push_back(std::move(step.name));
  }
  {
    const ActAs act(at.rights_);
    at.fd_ = Fd(::openat(at.fd_.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (at.path_.empty()) at.path_ = ".";
    if (!at.fd_) at.fail("cannot open " + at.path_.string());
  }
  at.narrow_to_owner();
  return {std::move(at), std::move(missing)};
}

std::optional<Directory> Directory::step_into(const Step& step) const {
  const ActAs act(rights_);
  Fd place = place_at(fd_, step.name, O_DIRECTORY);
  const stdfs::path shown = step.of_link ? path_ : path(step.name);
  if (place) return Directory(std::move(place), shown, rights_, named_);
  if (errno != ENOENT && !is_something_else(errno)) fail("cannot open " + shown.string());
  return std::nullopt;
}

void Directory::follow(const Fd& link, const Step& step, std::deque<Step>& rest) {
  if (!step.of_link) path_ /= step.name;
  const struct stat status = file_status(link, path_);
  narrow_for_link(status.st_uid);
  require_safe_link(status, path_);
  std::string text(PATH_MAX, '\0');
  const ssize_t length = ::readlinkat(link.number(), "", text.data(), text.size());
  if (length < 0) fail("cannot read the link " + path_.string());
  text.resize(static_cast<size_t>(length));
  const stdfs::path target = text;
  if (target.is_absolute()) fd_ = tsmfs::open_file("/", O_PATH | O_DIRECTORY);
  const stdfs::path relative = target.relative_path();
  for (auto part = relative.end(); part != relative.begin();)
    rest.push_front({(--part)->string(), true});
}

// As the kernel does with fs.protected_symlinks: in a directory like /tmp others do not lead us.
void Directory::require_safe_link(const struct stat& link, const stdfs::path& path) const {
  const struct stat holder = file_status(fd_, path);
  const bool shared = (holder.st_mode & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH);
  if (!shared || link.st_uid == rights_->user || link.st_uid == holder.st_uid) return;
  throw IoError("cannot follow the link " + path.string(), EACCES,
                fmt::format("it belongs to {}, in a directory that everybody writes to: name the "
                            "directory that it leads to",
                            describe_user(link.st_uid)));
}

void Directory::narrow_for_link(uid_t link_owner) {
  named_ = nullptr;
  if (rights_->user != 0) return;
  const uid_t user = link_owner != 0 ? link_owner : file_status(fd_, path_).st_uid;
  if (user != 0) rights_ = rights_of(user);
}

void Directory::narrow_to_owner() {
  const uid_t owner = status().st_uid;
  if (named_ && owner == named_->user)
    rights_ = named_;
  else if (rights_->user == 0 && owner != 0)
    rights_ = rights_of(owner);
}

}  // namespace tsmfs
