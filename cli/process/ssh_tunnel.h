// A way to a server's snapshot service through the system's ssh, since the protocol has neither
// encryption nor login.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "cli/process/child.h"
#include "snapshot/server/endpoint.h"

namespace tsmfs::cli {

// Runs `ssh -N -L` for as long as it lives.
class SshTunnel {
 public:
  // `target` is what ssh takes ("user@host", or a Host of ssh_config); `remote` is reached from
  // there. Returns when the way is open. Throws: ProtocolError when ssh ends before that, or when
  // a process of another user answers in its place; Cancelled.
  SshTunnel(const std::string& target, const snapshot::Endpoint& remote,
            const std::stop_token& stop);
  SshTunnel(const SshTunnel&) = delete;
  SshTunnel& operator=(const SshTunnel&) = delete;
  // Where the service can be reached on this machine.
  const snapshot::Endpoint& endpoint() const { return local_; }

 private:
  void wait_until_open(const std::string& target, const std::stop_token& stop);
  void throw_if_ended(const std::string& target);
  snapshot::Endpoint local_;
  std::optional<Child> child_;
};

// The host part of "user@host".
std::string ssh_host(const std::string& target);

}  // namespace tsmfs::cli
