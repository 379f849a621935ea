#include "index/base/owner.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

#include <string>

#include "index/base/error.h"
#include "index/base/parse_number.h"
#include "index/base/quote.h"

namespace tsmfs {

namespace {

// Of a user or a group; -1 stands for none of them.
std::optional<unsigned> parse_id(std::string_view text) {
  const auto id = parse_number<unsigned>(text);
  return id == static_cast<unsigned>(-1) ? std::nullopt : id;
}

}  // namespace

// NOLINTBEGIN(concurrency-mt-unsafe): the header says for whom this is

Owner find_user(std::string_view text) {
  const auto number = parse_id(text);
  const passwd* found = number ? ::getpwuid(*number) : ::getpwnam(std::string(text).c_str());
  if (found != nullptr) return {number.value_or(found->pw_uid), found->pw_gid};
  if (number) return {*number, std::nullopt};
  throw UsageError(fmt::format("there is no user {}", quote(text)),
                   "name one of this machine's users, or a number");
}

gid_t find_group(std::string_view text) {
  if (const auto number = parse_id(text)) return *number;
  if (const group* found = ::getgrnam(std::string(text).c_str())) return found->gr_gid;
  throw UsageError(fmt::format("there is no group {}", quote(text)),
                   "name one of this machine's groups, or a number");
}

// NOLINTEND(concurrency-mt-unsafe)

Owner parse_owner(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view user = text.substr(0, colon);
  const std::string_view group =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (user.empty() && group.empty())
    throw UsageError("an owner without a user or a group", "--owner user:group");
  Owner owner;
  if (!user.empty()) owner = find_user(user);
  if (!group.empty()) owner.group = find_group(group);
  return owner;
}

}  // namespace tsmfs
