#include "snapshot/server/tcp_stream.h"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <future>
#include <system_error>
#include <thread>
#include <utility>

#include "index/base/error.h"

namespace tsmfs::snapshot {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kStopCheckInterval{100};

constexpr const char* kNameAdvice = "check the spelling of the host, or give its address";
constexpr const char* kReachAdvice =
    "check that influxd runs there and that bind-address in influxdb.conf (outside any section; "
    "127.0.0.1:8088 by "
    "default) lets this machine in; tsmfs wants that port, not the HTTP port (8086)";

void throw_if_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Cancelled();
}

std::string describe(int error_number) {
  return std::generic_category().message(error_number);
}

struct Resolved {
  int error = 0;  // of getaddrinfo
  int error_number = 0;
  std::vector<TcpAddress> addresses;
};

Resolved look_up(const std::string& host, uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* list = nullptr;
  Resolved resolved;
  resolved.error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  resolved.error_number = errno;
  if (resolved.error != 0) return resolved;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    if (each->ai_addrlen > sizeof(sockaddr_storage)) continue;
    TcpAddress address;
    address.length = each->ai_addrlen;
    std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
    resolved.addresses.push_back(address);
  }
  return resolved;
}

}  // namespace

std::vector<TcpAddress> resolve(const Endpoint& endpoint, milliseconds timeout,
                                const std::stop_token& stop) {
  throw_if_stopped(stop);
  Resolved numeric = look_up(endpoint.host, endpoint.port, AI_NUMERICHOST);
  if (numeric.error == 0 && !numeric.addresses.empty()) return std::move(numeric.addresses);
  const std::string failure = fmt::format("cannot find the address of {}", endpoint.host);
  // A resolver waits for name servers as long as it likes and cannot be called off. So a thread of
  // its own waits for it, which owns all that it touches and may outlive this call.
  std::packaged_task<Resolved()> task(
      [host = endpoint.host, port = endpoint.port] { return look_up(host, port, 0); });
  std::future<Resolved> future = task.get_future();
  std::thread(std::move(task)).detach();
  const auto deadline = Clock::now() + timeout;
  while (future.wait_for(kStopCheckInterval) != std::future_status::ready) {
    throw_if_stopped(stop);
    if (Clock::now() >= deadline)
      throw ProtocolError(fmt::format("{}: no answer in {} ms", failure, timeout.count()),
                          kNameAdvice);
  }
  Resolved resolved = future.get();
  if (resolved.error == EAI_SYSTEM)
    throw ProtocolError(failure + ": " + describe(resolved.error_number), kNameAdvice);
  if (resolved.error != 0)
    throw ProtocolError(failure + ": " + ::gai_strerror(resolved.error), kNameAdvice);
  if (resolved.addresses.empty()) throw ProtocolError(failure + ": there is none", kNameAdvice);
  return std::move(resolved.addresses);
}

TcpStream::TcpStream(const Endpoint& endpoint, const std::vector<TcpAddress>& addresses,
                     TcpTimeouts timeouts, std::stop_token stop, std::optional<int> receive_buffer)
    : peer_(endpoint.text()), timeouts_(timeouts), stop_(std::move(stop)) {
  int error_number = EADDRNOTAVAIL;
  for (address_index_ = 0; address_index_ < addresses.size(); ++address_index_) {
    error_number = connect_to(addresses[address_index_], receive_buffer);
    if (error_number == 0) return;
  }
  throw ProtocolError(fmt::format("cannot reach influxd at {}: {}", peer_, describe(error_number)),
                      kReachAdvice);
}

int TcpStream::connect_to(const TcpAddress& address, std::optional<int> receive_buffer) {
  throw_if_stopped(stop_);
  socket_ = Fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_) return errno;
  if (receive_buffer && ::setsockopt(socket_.number(), SOL_SOCKET, SO_RCVBUF, &*receive_buffer,
                                     sizeof *receive_buffer) != 0)
    return errno;
  if (::connect(socket_.number(), reinterpret_cast<const sockaddr*>(&address.storage),
                address.length) == 0)
    return 0;
  // An interrupted connect goes on by itself, like one that would block (connect(2)).
  if (errno != EINPROGRESS && errno != EINTR) return errno;
  if (!wait_ready(POLLOUT, timeouts_.connect)) return ETIMEDOUT;
  int error_number = 0;
  socklen_t length = sizeof error_number;
  if (::getsockopt(socket_.number(), SOL_SOCKET, SO_ERROR, &error_number, &length) != 0)
    return errno;
  return error_number;
}

bool TcpStream::wait_ready(short events, milliseconds timeout) const {
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    throw_if_stopped(stop_);
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    const milliseconds slice = std::clamp(left, milliseconds(0), kStopCheckInterval);
    pollfd entry{socket_.number(), events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(slice.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR)
      throw ProtocolError(fmt::format("{}: {}", peer_, describe(errno)));
    if (left <= milliseconds(0)) return false;
  }
}

void TcpStream::write(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<size_t>(count));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!wait_ready(POLLOUT, timeouts_.idle))
        throw ProtocolError(
            fmt::format("{} took no byte for {} ms", peer_, timeouts_.idle.count()));
    } else if (errno != EINTR) {
      throw ProtocolError(fmt::format("{}: the connection broke before the request was sent: {}",
                                      peer_, describe(errno)));
    }
  }
}

void TcpStream::finish_writing() {
  // A connection that the peer has ended already is one that needs no end.
  if (::shutdown(socket_.number(), SHUT_WR) != 0 && errno != ENOTCONN)
    throw ProtocolError(fmt::format("{}: {}", peer_, describe(errno)));
}

size_t TcpStream::receive(MutableByteView out, int flags) {
  for (;;) {
    throw_if_stopped(stop_);
    const ssize_t count = ::recv(socket_.number(), out.data(), out.size(), flags);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
      throw ProtocolError(fmt::format("{}: the connection broke after {} bytes of the answer: {}",
                                      peer_, bytes_read_, describe(errno)));
    if (!wait_ready(POLLIN, timeouts_.idle))
      throw ProtocolError(fmt::format("{} sent nothing for {} ms, after {} bytes of the answer",
                                      peer_, timeouts_.idle.count(), bytes_read_));
  }
}

size_t TcpStream::read(MutableByteView out) {
  const size_t count = receive(out, 0);
  bytes_read_ += count;
  return count;
}

bool TcpStream::wait_for_byte() {
  std::byte byte;
  return receive({&byte, 1}, MSG_PEEK) > 0;
}

}  // namespace tsmfs::snapshot
