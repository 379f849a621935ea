#include "cli/process/ssh_tunnel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <sstream>
#include <thread>

#include "cli/process/reserved_port.h"
#include "index/base/error.h"
#include "index/base/file.h"

namespace tsmfs::cli {

namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(50);
constexpr const char* kSockets = "/proc/net/tcp";
constexpr uint64_t kSocketsBytesMax = uint64_t{256} << 20;  // of a million and a half sockets

// Whether all that listen at the port are processes of this user, be it ssh itself or the master
// that it shares (ControlMaster). Format: Linux, proc_net_tcp: the local address is the third word,
// in hexadecimal, the state the fifth (0A is LISTEN), the user the ninth.
bool is_listened_at_by_us(uint16_t port) {
  if (!open_if_exists(kSockets, O_RDONLY)) return true;  // no /proc: there is nothing to ask
  std::istringstream table(read_kernel_file(kSockets, kSocketsBytesMax));
  const std::string here =
      fmt::format("{:08X}:{:04X}", loopback_address(port).sin_addr.s_addr, port);
  std::string line;
  bool found = false;
  while (std::getline(table, line)) {
    std::istringstream words(line);
    std::string number, local, remote, state, queues, timer, retransmits;
    uint64_t user = 0;
    words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user;
    if (!words || local != here || state != "0A") continue;
    if (user != ::geteuid()) return false;
    found = true;
  }
  return found;
}

Program ssh(const std::string& target, const std::string& forward) {
  return {{"ssh", "-N", "-o", "ExitOnForwardFailure=yes", "-L", forward, "--", target}};
}

}  // namespace

SshTunnel::SshTunnel(const std::string& target, const snapshot::Endpoint& remote,
                     const std::stop_token& stop) {
  const ReservedPort port = ReservedPort::any();
  local_ = {"127.0.0.1", port.number()};
  try {
    child_.emplace(ssh(target, fmt::format("127.0.0.1:{}:{}", local_.port, remote.text())));
  } catch (const IoError& error) {
    throw IoError("cannot run ssh", error.error_number(), "install openssh-client");
  }
  wait_until_open(target, stop);
}

// ssh says on the terminal what it wants (a password, a host key), so there is no limit but its
// own.
void SshTunnel::wait_until_open(const std::string& target, const std::stop_token& stop) {
  for (;;) {
    if (stop.stop_requested()) throw Cancelled();
    // First, since an answer at the port is ssh's only while ssh lives.
    throw_if_ended(target);
    if (accepts_connections(local_.port)) break;
    std::this_thread::sleep_for(kPollInterval);
  }
  if (!is_listened_at_by_us(local_.port))
    throw ProtocolError(fmt::format("port {} of this machine is listened at by another user's "
                                    "process, where ssh to {} was to listen",
                                    local_.port, target),
                        "run the command again; nothing was sent there");
  throw_if_ended(target);
}

void SshTunnel::throw_if_ended(const std::string& target) {
  if (!child_->ended()) return;
  throw ProtocolError(fmt::format("ssh to {} ended before the tunnel was open", target),
                      "the lines above say why; ssh has to work without tsmfs first");
}

std::string ssh_host(const std::string& target) {
  return target.substr(target.find('@') + 1);
}

}  // namespace tsmfs::cli
