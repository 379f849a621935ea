// One TCP connection that never waits without an end: each wait has a limit and watches a
// stop_token.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "index/base/bytes.h"
#include "index/base/file.h"
#include "snapshot/server/endpoint.h"
#include "snapshot/stream/byte_stream.h"

namespace tsmfs::snapshot {

struct TcpTimeouts {
  // For each address, and for finding the addresses.
  std::chrono::milliseconds connect{10'000};
  // Without a byte; influxd writes its cache out before it answers.
  std::chrono::milliseconds idle{120'000};
};

struct TcpAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

// All addresses of the host, in the resolver's order, at least one. Throws: ProtocolError when
// there are none or none could be found in time; Cancelled within 200 ms of a stop, even while the
// resolver hangs.
std::vector<TcpAddress> resolve(const Endpoint& endpoint, std::chrono::milliseconds timeout,
                                const std::stop_token& stop);

// Not thread safe. Throws: Cancelled within 200 ms of a stop; ProtocolError, naming the endpoint,
// for all else.
class TcpStream : public ByteStream {
 public:
  // Connects to the first address that accepts. `receive_buffer`: bytes that may come before they
  // are read, about; as many as the kernel likes when it is not given.
  TcpStream(const Endpoint& endpoint, const std::vector<TcpAddress>& addresses,
            TcpTimeouts timeouts, std::stop_token stop, std::optional<int> receive_buffer = {});
  void write(ByteView bytes);
  // Tells the peer that nothing follows; reading goes on. No write() may come after it.
  void finish_writing();
  size_t read(MutableByteView out) override;
  // Waits for the next byte, without taking it. False at the end.
  bool wait_for_byte();
  uint64_t bytes_read() const { return bytes_read_; }
  // Which of the addresses accepted.
  size_t address_index() const { return address_index_; }

 private:
  // 0, or the errno of a failure that leaves the other addresses to try.
  int connect_to(const TcpAddress& address, std::optional<int> receive_buffer);
  bool wait_ready(short events, std::chrono::milliseconds timeout) const;
  size_t receive(MutableByteView out, int flags);

  std::string peer_;
  TcpTimeouts timeouts_;
  std::stop_token stop_;
  Fd socket_;
  size_t address_index_ = 0;
  uint64_t bytes_read_ = 0;
};

}  // namespace tsmfs::snapshot
