#include "index/base/rights.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "index/base/error.h"

namespace tsmfs {

namespace {

constexpr gid_t kNoGroup = 65534;  // as the kernel's overflowgid: no file of note is its own
constexpr size_t kEntryBytesMax = size_t{1} << 20;

struct UserEntry {
  std::string name;
  gid_t group = 0;
};

std::optional<UserEntry> find_user(uid_t user) {
  std::vector<char> text(1024);
  for (;;) {
    passwd entry{};
    passwd* found = nullptr;
    const int error = ::getpwuid_r(user, &entry, text.data(), text.size(), &found);
    if (error == EINTR) continue;
    if (error == ERANGE && text.size() < kEntryBytesMax) {
      text.resize(text.size() * 2);
      continue;
    }
    if (found) return UserEntry{entry.pw_name, entry.pw_gid};
    // "Not there" comes as any of these: getpwuid_r(3).
    if (error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM)
      return std::nullopt;
    throw IoError(fmt::format("cannot look up user {}", user), error);
  }
}

std::vector<gid_t> groups_of(const UserEntry& user) {
  std::vector<gid_t> groups(64);
  for (;;) {
    int count = static_cast<int>(groups.size());
    const bool fits = ::getgrouplist(user.name.c_str(), user.group, groups.data(), &count) >= 0;
    groups.resize(static_cast<size_t>(count));
    if (fits) return groups;
  }
}

std::vector<gid_t> groups_of_thread() {
  const int count = ::getgroups(0, nullptr);
  std::vector<gid_t> groups(static_cast<size_t>(std::max(count, 0)));
  const int got = ::getgroups(count, groups.data());
  if (got < 0) throw_errno("cannot ask for the groups of the process");
  groups.resize(static_cast<size_t>(got));
  return groups;
}

// glibc's setgroups() changes all threads; the kernel's, one.
bool set_groups(const std::vector<gid_t>& groups) {
  return ::syscall(SYS_setgroups, groups.size(), groups.data()) == 0;
}

// setfsuid(2) says what was, not whether it worked; asked with -1 it only answers.
uid_t user_now() {
  return static_cast<uid_t>(::setfsuid(static_cast<uid_t>(-1)));
}
gid_t group_now() {
  return static_cast<gid_t>(::setfsgid(static_cast<gid_t>(-1)));
}

// What cannot be given back stays with the lesser rights, under which whatever needs more fails.
void act_as_process() {
  const Rights& own = *process_rights();
  ::setfsuid(own.user);
  ::setfsgid(own.group);
  set_groups(own.groups);
}

}  // namespace

const RightsPtr& process_rights() {
  static const RightsPtr own =
      std::make_shared<const Rights>(Rights{::geteuid(), ::getegid(), groups_of_thread()});
  return own;
}

RightsPtr rights_of(uid_t user) {
  if (user == process_rights()->user) return process_rights();
  const auto entry = find_user(user);
  if (!entry) return std::make_shared<const Rights>(Rights{user, kNoGroup, {}});
  return std::make_shared<const Rights>(Rights{user, entry->group, groups_of(*entry)});
}

std::string describe_user(uid_t user) {
  const auto entry = find_user(user);
  return entry ? fmt::format("user {} ({})", user, entry->name) : fmt::format("user {}", user);
}

ActAs::ActAs(const RightsPtr& rights) {
  process_rights();  // before anything is changed
  if (user_now() == rights->user) return;
  changed_ = true;
  const auto fail = [&](int error) {
    act_as_process();
    throw IoError("cannot act with the rights of " + describe_user(rights->user), error,
                  "run this as that user");
  };
  if (!set_groups(rights->groups)) fail(errno);
  ::setfsgid(rights->group);
  ::setfsuid(rights->user);
  if (user_now() != rights->user || group_now() != rights->group) fail(EPERM);
}

ActAs::~ActAs() {
  if (changed_) act_as_process();
}

}  // namespace tsmfs
