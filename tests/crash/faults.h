// What the preloaded fault_shim knows of the files below its roots, and when it makes one go wrong.
#pragma once

#include <sys/types.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace tsmfs::faults {

enum class Kind { kNone, kKill, kTorn, kPower, kOff, kNoSpace, kIoError, kLook };

// Calls that change nothing.
enum class Look { kRead, kStat, kList, kOpen };

// A file written to below a root.
struct Written {
  off_t synced_bytes = 0;
  bool dirty = false;
};
struct Rename {
  std::string from, to;
  std::string shadow;      // a link to what `to` was before; empty when it was nothing
  bool exchanged = false;  // `to` became `from`
};

struct State {
  std::recursive_mutex mutex;
  std::vector<std::string> roots;
  std::string shadow, log;
  Kind kind = Kind::kNone;
  Look look = Look::kRead;  // with kLook: which calls fail
  int look_error = EIO;     // and how
  long at = 0, count = 0;   // of changes; with kLook, of those calls
  bool no_space = false;
  std::map<int, std::string> paths;    // of open descriptors below a root
  std::map<void*, std::string> lists;  // of open DIRs below a root
  std::map<std::string, Written> written;
  std::vector<Rename> renames;
  std::vector<std::string> made;  // files and directories whose own directory was not synced since
};

// By its name in TSMFS_FAULT_KIND; any other changes nothing.
void set_kind(const std::string& name, State& state);

// Of the process, read from its environment at the first call.
State& state();

// True for a root and all below it.
bool below_root(std::string_view path);
std::string parent_of(const std::string& path);
void write_log(const std::string& line);

[[noreturn]] void die();
// What was not synced is as it was before.
void lose_power();
// Of a file or a directory that is new in one below a root.
void note_made(const std::string& path);
// What was noted of a file, or of all below a directory, is of its new name.
void note_rename(const std::string& from, const std::string& to);

// Counts a call, and is true when it is the one to fail.
bool is_the_one(const char* what, const std::string& path);

// Counts a change. Dies, or says with which errno it fails (0: it may go on). `half` makes half of
// it.
template <typename Half>
int change(const char* what, const std::string& path, bool removal, const Half& half) {
  State& s = state();
  if (s.no_space && !removal) return ENOSPC;
  if (s.kind == Kind::kLook || s.kind == Kind::kOff || !is_the_one(what, path)) return 0;
  switch (s.kind) {
    case Kind::kIoError:
      return EIO;
    case Kind::kNoSpace:
      s.no_space = true;
      return removal ? 0 : ENOSPC;
    case Kind::kTorn:
      half();
      die();
    default:
      die();
  }
}
inline int change(const char* what, const std::string& path, bool removal = false) {
  return change(what, path, removal, [] {});
}

// As change(), for a call that changes nothing.
inline int look(Look look, const char* what, const std::string& path) {
  const State& s = state();
  return s.kind == Kind::kLook && s.look == look && is_the_one(what, path) ? s.look_error : 0;
}

}  // namespace tsmfs::faults
