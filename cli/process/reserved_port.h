// A TCP port of this machine's loopback address, kept for a program that is about to listen at it.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <optional>

#include "index/base/file.h"

namespace tsmfs::cli {

// For as long as it lives nobody is given the port by chance: it is bound, but not listened at,
// which lets in those who set SO_REUSEADDR, as ssh and Go programs do. Of several tsmfs one has it.
class ReservedPort {
 public:
  // Throws: IoError when there is none.
  static ReservedPort any();
  // Nothing when somebody has it. Throws: IoError when it cannot be had for another reason.
  static std::optional<ReservedPort> of(uint16_t number);

  uint16_t number() const { return number_; }

 private:
  ReservedPort() = default;
  Fd socket_, claim_;
  uint16_t number_ = 0;
};

sockaddr_in loopback_address(uint16_t port);
bool accepts_connections(uint16_t port);  // at the loopback address

}  // namespace tsmfs::cli
