// Arms a fault in a process that is running already: tests/model forks and arms the child.
#include "faults.h"

extern "C" __attribute__((visibility("default"))) void tsmfs_fault_arm(const char* root,
                                                                       const char* shadow,
                                                                       const char* kind, long at) {
  using namespace tsmfs::faults;
  State& s = state();
  std::lock_guard<std::recursive_mutex> lock(s.mutex);
  s.roots = {root};
  s.shadow = shadow;
  s.kind = Kind::kNone;
  set_kind(kind, s);
  s.at = at;
  s.count = 0;
}
