// What the preloaded fault_shim knows of the files below its root, and when it makes one go wrong.
#pragma once

#include <sys/types.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace tsmfs::faults {

enum class Kind { kNone, kKill, kTorn, kPower, kNoSpace, kIoError, kReadError };

Kind kind_of(const std::string& name);  // kNone for any other

// A file written to below the root.
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
  std::string root, shadow, log;
  Kind kind = Kind::kNone;
  long at = 0, count = 0;  // of changes; with kReadError, of reads
  bool no_space = false;
  std::map<int, std::string> paths;  // of open descriptors below the root
  std::map<std::string, Written> written;
  std::vector<Rename> renames;
};

// Of the process, read from its environment at the first call.
State& state();

// True for the root and all below it.
bool below_root(std::string_view path);
std::string parent_of(const std::string& path);
void write_log(const std::string& line);

[[noreturn]] void die();

// Counts a change of a file, and is true when it is the one to fail.
bool is_the_one(const char* what, const std::string& path);

// Counts a change. Dies, or says with which errno it fails (0: it may go on). `half` makes half of
// it.
template <typename Half>
int change(const char* what, const std::string& path, bool removal, const Half& half) {
  State& s = state();
  if (s.no_space && !removal) return ENOSPC;
  if (s.kind == Kind::kReadError || !is_the_one(what, path)) return 0;
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

// As change(), for a read.
inline int read_fails(const std::string& path) {
  return state().kind == Kind::kReadError && is_the_one("read", path) ? EIO : 0;
}

}  // namespace tsmfs::faults
