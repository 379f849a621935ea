#include "cli/process/ssh_tunnel.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <sstream>
#include <thread>
#include <vector>

#include "index/base/error.h"
#include "index/base/file.h"

namespace tsmfs::cli {

namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(50);
constexpr const char* kSockets = "/proc/net/tcp";
constexpr uint64_t kSocketsBytesMax = uint64_t{256} << 20;  // of a million and a half sockets

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A free port of this machine. For as long as this lives nobody is given it by chance: it is bound,
// but not listened at, which lets in those who set SO_REUSEADDR, as ssh does.
class ReservedPort {
 public:
  ReservedPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    const int yes = 1;
    if (!socket_ ||
        ::setsockopt(socket_.number(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        ::bind(socket_.number(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        ::getsockname(socket_.number(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
      throw_errno("cannot find a free port for the ssh tunnel");
    number_ = ntohs(address.sin_port);
  }
  uint16_t number() const { return number_; }

 private:
  Fd socket_;
  uint16_t number_ = 0;
};

// Whether all that listen at the port are processes of this user, be it ssh itself or the master
// that it shares (ControlMaster). Format: Linux, proc_net_tcp: the local address is the third word,
// in hexadecimal, the state the fifth (0A is LISTEN), the user the ninth.
bool is_listened_at_by_us(uint16_t port) {
  if (!open_if_exists(kSockets, O_RDONLY)) return true;  // no /proc: there is nothing to ask
  std::istringstream table(read_kernel_file(kSockets, kSocketsBytesMax));
  const std::string here = fmt::format("{:08X}:{:04X}", loopback(port).sin_addr.s_addr, port);
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
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  // Signals that this process has blocked or ignores for itself are not to be so in ssh.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &pipe);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, "ssh", nullptr, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) throw IoError("cannot run ssh", error, "install openssh-client");
  return child;
}

}  // namespace

SshTunnel::SshTunnel(const std::string& target, const snapshot::Endpoint& remote,
                     const std::stop_token& stop) {
  const ReservedPort port;
  local_ = {"127.0.0.1", port.number()};
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
  for (;;) {
    if (stop.stop_requested()) throw Cancelled();
    // First, since an answer at the port is ssh's only while ssh lives.
    throw_if_ended(target);
    if (accepts(local_.port)) break;
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
  if (::waitpid(child_, nullptr, WNOHANG) != child_) return;
  child_ = -1;
  throw ProtocolError(fmt::format("ssh to {} ended before the tunnel was open", target),
                      "the lines above say why; ssh has to work without tsmfs first");
}

std::string ssh_host(const std::string& target) {
  return target.substr(target.find('@') + 1);
}

}  // namespace tsmfs::cli
