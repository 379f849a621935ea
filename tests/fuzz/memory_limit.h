// For targets whose code promises bounded memory: a claim in a small input is not to become an
// allocation.
#pragma once

#include <cstddef>

namespace tsmfs::fuzz {

// While it lives, the memory that this thread has been given since it was made, and has not given
// back, may take `bytes_max`; more ends the process as a finding. Link memory_limit.cpp.
class MemoryLimit {
 public:
  explicit MemoryLimit(size_t bytes_max);
  ~MemoryLimit();
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;
};

}  // namespace tsmfs::fuzz
