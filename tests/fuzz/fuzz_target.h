// What every fuzz target shares. A target is one file `<name>_fuzz.cpp` that defines
// LLVMFuzzerTestOneInput; it is linked with libFuzzer (TSMFS_FUZZ) to search for inputs, and with
// replay.cpp to run those of corpus/<name>_fuzz as a test.
//
// An input may be refused with the exceptions that the code under test documents. Anything else
// that is thrown, an answer that contradicts itself, and whatever a sanitizer sees end the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "index/base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace tsmfs::fuzz {

inline ByteView input_bytes(const uint8_t* data, size_t size) {
  return std::as_bytes(std::span(data, size));
}

// Ends the process, as a finding, unless `condition` holds.
inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz: not so: %s\n", what);
  std::abort();
}

// True when `action` came to its end, false when it refused its input with an Expected.
template <typename Expected, typename Action>
bool takes(Action action) {
  try {
    action();
    return true;
  } catch (const Expected&) {
    return false;
  }
}

}  // namespace tsmfs::fuzz
