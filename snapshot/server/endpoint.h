// A server's address as a person writes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tsmfs::snapshot {

constexpr uint16_t kSnapshotPort = 8088;  // influxd's bind-address, unless configured otherwise

struct Endpoint {
  std::string host;  // a name or an address, IPv6 without brackets
  uint16_t port = kSnapshotPort;
  bool operator==(const Endpoint&) const = default;
  // "host:port" or "[v6]:port"
  std::string text() const;
};

// Whether it names this machine.
bool is_loopback(const Endpoint& endpoint);
// Takes "host", "host:port", "[v6]" and "[v6]:port". Throws: UsageError.
Endpoint parse_endpoint(std::string_view text);

}  // namespace tsmfs::snapshot
