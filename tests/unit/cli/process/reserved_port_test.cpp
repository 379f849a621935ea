#include "cli/process/reserved_port.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <optional>

namespace tsmfs::cli {
namespace {

int listen_at(uint16_t port, const Fd& socket) {
  const sockaddr_in address = loopback_address(port);
  const int yes = 1;
  ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return -1;
  return ::listen(socket.number(), 1);
}

TEST(ReservedPort, IsForOneOfUsAndForWhoListensThere) {
  std::optional<ReservedPort> port = ReservedPort::any();
  const uint16_t number = port->number();
  EXPECT_FALSE(ReservedPort::of(number));  // another one of us
  EXPECT_FALSE(accepts_connections(number));
  {
    const Fd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(listen_at(number, server), 0);
    EXPECT_TRUE(accepts_connections(number));
    port.reset();
    EXPECT_FALSE(ReservedPort::of(number));  // the server has it
  }
  EXPECT_TRUE(ReservedPort::of(number));  // also while its connections are remembered
}

}  // namespace
}  // namespace tsmfs::cli
