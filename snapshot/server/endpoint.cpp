#include "snapshot/server/endpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/error.h"
#include "index/base/parse_number.h"
#include "index/base/quote.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kHostBytesMax = 255;

[[noreturn]] void fail(std::string_view text, std::string_view why) {
  throw UsageError(
      fmt::format("{} is not a server address: {}", quote(text), why),
      "write it as host, host:port or [IPv6 address]:port, for instance 127.0.0.1:8088");
}

uint16_t parse_port(std::string_view digits, std::string_view text) {
  const auto port = parse_number<uint16_t>(digits);
  if (!port || *port == 0) fail(text, "the port must be a number from 1 to 65535");
  return *port;
}

bool is_host_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f && c != '/' && c != '[' && c != ']' && c != '@';
}

}  // namespace

std::string Endpoint::text() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return is_v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

bool is_loopback(const Endpoint& endpoint) {
  const std::string& host = endpoint.host;
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Endpoint parse_endpoint(std::string_view text) {
  if (text.find("//") != std::string_view::npos) fail(text, "it is a URL");
  std::string_view host = text;
  std::string_view rest;
  if (text.starts_with('[')) {
    const size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) fail(text, "the ']' is missing");
    host = text.substr(1, bracket - 1);
    rest = text.substr(bracket + 1);
    if (host.find(':') == std::string_view::npos)
      fail(text, "there is no IPv6 address between the brackets");
  } else if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
    if (text.find(':', colon + 1) != std::string_view::npos)
      fail(text, "an IPv6 address stands in brackets");
    host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  if (host.empty()) fail(text, "the host is missing");
  if (host.size() > kHostBytesMax || !std::all_of(host.begin(), host.end(), is_host_character))
    fail(text, "this cannot be a host");
  Endpoint endpoint{std::string(host), kSnapshotPort};
  if (!rest.empty()) {
    if (rest.front() != ':') fail(text, "only a colon and the port may follow the address");
    endpoint.port = parse_port(rest.substr(1), text);
  }
  return endpoint;
}

}  // namespace tsmfs::snapshot
