// Whose rights root acts with. What root writes into a directory of somebody else is written with
// that user's rights, so that the kernel lets nothing happen that the user could not do alone.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace tsmfs {

struct FileOwner {
  uid_t user = 0;
  gid_t group = 0;
};

// A user with all groups. Never changes once made.
struct Rights {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;  // beside `group`
};
using RightsPtr = std::shared_ptr<const Rights>;

// Those that the process was started with; always the same object.
const RightsPtr& process_rights();
// Those that the system gives to a user; one that it has no entry of is in no group. Throws:
// IoError when the user database cannot be read.
RightsPtr rights_of(uid_t user);
// "user 998 (influxdb)"
std::string describe_user(uid_t user);

// While it lives, its thread uses the file system as that user would; other threads do not. Threads
// that are started meanwhile inherit that: start none. What is open stays usable. Costs a few
// system calls, and none for process_rights().
class ActAs {
 public:
  // Requires: the process is root, or `rights` are its own. Throws: IoError when the kernel does
  // not let go of root's rights; the thread is as before then.
  explicit ActAs(const RightsPtr& rights);
  ActAs(const ActAs&) = delete;
  ActAs& operator=(const ActAs&) = delete;
  ~ActAs();

 private:
  bool changed_ = false;
};

}  // namespace tsmfs
