// Whom files are to belong to, as a person says it: by names of this machine, or by numbers.
//
// For a command's first thread, before any other begins.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string_view>

namespace tsmfs {

struct Owner {
  std::optional<uid_t> user;
  std::optional<gid_t> group;
};

// A user, and its own group when this machine knows the user. Throws: UsageError for a name that it
// does not know.
Owner find_user(std::string_view text);
// Throws: UsageError.
gid_t find_group(std::string_view text);
// "user", "user:group" or ":group"; a user without a group brings its own. Throws: UsageError, also
// for neither.
Owner parse_owner(std::string_view text);

}  // namespace tsmfs
