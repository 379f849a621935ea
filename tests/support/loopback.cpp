#include "tests/support/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "index/base/bytes.h"
#include "index/base/error.h"

namespace tsmfs::support {

namespace {

constexpr int kWaitingMax = 64;

}  // namespace

std::pair<Fd, uint16_t> listen_on_loopback() {
  Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener.number(), generic, length) != 0 ||
      ::listen(listener.number(), kWaitingMax) != 0 ||
      ::getsockname(listener.number(), generic, &length) != 0)
    throw_errno("cannot listen on loopback");
  return {std::move(listener), ntohs(address.sin_port)};
}

std::string big_endian(uint64_t value) {
  std::string text(8, '\0');
  store_be(reinterpret_cast<std::byte*>(text.data()), value);
  return text;
}

}  // namespace tsmfs::support
