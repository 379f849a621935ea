// What tsmfs relies on, checked in release builds too where it is cheap: at the boundaries behind
// which something counts as stored.
#pragma once

#include <string>

#include "index/base/error.h"

namespace tsmfs {

// Throws: InvariantError, naming `what` must hold.
inline void require_invariant(bool holds, const char* what) {
  if (!holds) throw InvariantError(what);
}

// Holds what is about to be stored against the rules of those who will read it, by letting them
// read it: a limit that a reader enforces cannot be broken by a writer then. Throws: InvariantError
// when `decode` throws CorruptError.
template <typename Decode>
void require_readable(const Decode& decode) {
  try {
    decode();
  } catch (const CorruptError& error) {
    throw InvariantError(std::string("what was to be stored could not be read again: ") +
                         error.what());
  }
}

}  // namespace tsmfs
