#include "cli/process/reserved_port.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "index/base/error.h"

namespace tsmfs::cli {

namespace {

// A name that one process of this machine has at a time, and that goes with it: an abstract socket
// (unix(7)). Two sockets of SO_REUSEADDR may be bound to one port while nobody listens there.
Fd claim(uint16_t port) {
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = fmt::format("tsmfs-port-{}", port);
  std::copy(name.begin(), name.end(), address.sun_path + 1);  // behind a NUL
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (!socket || ::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), length) != 0)
    return {};
  return socket;
}

// 0: any. Empty, with errno, when it cannot be had.
Fd bind_to(uint16_t port) {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback_address(port);
  const int yes = 1;
  if (!socket || ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      ::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return {};
  return socket;
}

uint16_t port_of(const Fd& socket) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  if (::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw_errno("cannot tell which port a socket has");
  return ntohs(address.sin_port);
}

}  // namespace

sockaddr_in loopback_address(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool accepts_connections(uint16_t port) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback_address(port);
  return socket && ::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address),
                             sizeof address) == 0;
}

ReservedPort ReservedPort::any() {
  ReservedPort port;
  while (!port.claim_) {
    port.socket_ = bind_to(0);
    if (!port.socket_) throw_errno("cannot find a free port of this machine");
    port.number_ = port_of(port.socket_);
    port.claim_ = claim(port.number_);
  }
  return port;
}

std::optional<ReservedPort> ReservedPort::of(uint16_t number) {
  ReservedPort port;
  port.number_ = number;
  port.claim_ = claim(number);
  if (!port.claim_) return std::nullopt;
  port.socket_ = bind_to(number);
  if (port.socket_) return port;
  if (errno == EADDRINUSE) return std::nullopt;
  throw_errno(fmt::format("cannot use port {} of this machine", number));
}

}  // namespace tsmfs::cli
