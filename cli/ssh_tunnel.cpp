#include "cli/ssh_tunnel.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>
#include <vector>

#include "index/base/error.h"
#include "index/base/file.h"

namespace tsmfs::cli {

namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(50);

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Free now; somebody else may take it before ssh does, and then ssh says so and ends.
uint16_t free_port() {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  if (!socket || ::bind(socket.number(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw_errno("cannot find a free port for the ssh tunnel");
  return ntohs(address.sin_port);
}

bool accepts(uint16_t port) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  return socket && ::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address),
                             sizeof address) == 0;
}

pid_t spawn_ssh(const std::string& target, const std::string& forward) {
  std::vector<std::string> words = {"ssh", "-N",    "-o", "ExitOnForwardFailure=yes",
                                    "-L",  forward, "--", target};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  // Signals that this process has blocked for itself are not to be blocked in ssh.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, "ssh", nullptr, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) throw IoError("cannot run ssh", error, "install openssh-client");
  return child;
}

}  // namespace

SshTunnel::SshTunnel(const std::string& target, const snapshot::Endpoint& remote,
                     const std::stop_token& stop)
    : local_{"127.0.0.1", free_port()} {
  child_ = spawn_ssh(target, fmt::format("127.0.0.1:{}:{}", local_.port, remote.text()));
  try {
    wait_until_open(target, stop);
  } catch (...) {
    if (child_ > 0) {
      ::kill(child_, SIGTERM);
      ::waitpid(child_, nullptr, 0);
    }
    throw;
  }
}

SshTunnel::~SshTunnel() {
  if (child_ <= 0) return;
  ::kill(child_, SIGTERM);
  ::waitpid(child_, nullptr, 0);
}

// ssh says on the terminal what it wants (a password, a host key), so there is no limit but its
// own.
void SshTunnel::wait_until_open(const std::string& target, const std::stop_token& stop) {
  while (!accepts(local_.port)) {
    if (stop.stop_requested()) throw Cancelled();
    if (::waitpid(child_, nullptr, WNOHANG) == child_) {
      child_ = -1;
      throw ProtocolError(fmt::format("ssh to {} ended before the tunnel was open", target),
                          "the lines above say why; ssh has to work without tsmfs first");
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

std::string ssh_host(const std::string& target) {
  return target.substr(target.find('@') + 1);
}

}  // namespace tsmfs::cli
