// Calls again what a signal interrupted.
#pragma once

#include <cerrno>

namespace tsmfs {

// What `call` returns, a negative number with errno where it failed for another reason.
template <typename Call>
auto retry_eintr(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace tsmfs
