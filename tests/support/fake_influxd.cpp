#include "tests/support/fake_influxd.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "index/base/bytes.h"
#include "index/base/error.h"
#include "tests/support/loopback.h"

namespace tsmfs::support {

namespace {

using snapshot::Dialect;
using std::chrono::milliseconds;
using Json = nlohmann::json;

constexpr milliseconds kForEver{-1};
constexpr uint8_t kHighestType = 7;
constexpr uint8_t kRangeType = 5;

template <typename Key>
std::optional<Answer> find(const std::map<Key, Answer>& answers, const Key& key) {
  const auto found = answers.find(key);
  if (found == answers.end()) return std::nullopt;
  return found->second;
}

}  // namespace

std::string frame_metastore(std::string_view meta_db, std::string_view node_json) {
  return big_endian(0x59590101) + big_endian(meta_db.size()) + std::string(meta_db) +
         big_endian(node_json.size()) + std::string(node_json);
}

FakeInfluxd::FakeInfluxd(Dialect dialect) : dialect_(dialect) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("cannot make a pipe");
  stop_read_ = Fd(ends[0]);
  stop_write_ = Fd(ends[1]);
  std::tie(listener_, port_) = listen_on_loopback();
  acceptor_ = std::thread([this] { serve(); });
}

FakeInfluxd::~FakeInfluxd() {
  stop_write_.reset();
  acceptor_.join();
  // The acceptor has ended, so that nobody adds to the workers.
  std::vector<std::thread> workers;
  {
    const MutexLock lock(mutex_);
    workers.swap(workers_);
  }
  for (std::thread& worker : workers) worker.join();
}

void FakeInfluxd::answer_metastore(Answer answer) {
  const MutexLock lock(mutex_);
  metastore_ = std::move(answer);
}

void FakeInfluxd::answer_metastore_once(Answer answer) {
  const MutexLock lock(mutex_);
  metastore_once_.push_back(std::move(answer));
}

void FakeInfluxd::answer_database(const std::string& name, Answer answer) {
  const MutexLock lock(mutex_);
  databases_[name] = std::move(answer);
}

void FakeInfluxd::answer_heads(Answer answer) {
  MutexLock lock(mutex_);
  heads_ = std::move(answer);
}

void FakeInfluxd::answer_range(uint64_t id, Answer answer) {
  MutexLock lock(mutex_);
  ranges_[id] = std::move(answer);
}

void FakeInfluxd::answer_shard(uint64_t id, Answer answer) {
  const MutexLock lock(mutex_);
  shards_[id] = std::move(answer);
}

void FakeInfluxd::answer_shard_once(uint64_t id, Answer answer) {
  const MutexLock lock(mutex_);
  once_[id].push_back(std::move(answer));
}

void FakeInfluxd::refuse_shard_times(uint64_t id, size_t count) {
  const MutexLock lock(mutex_);
  refusals_[id] = count;
}

void FakeInfluxd::answer_everything(Answer answer) {
  const MutexLock lock(mutex_);
  everything_ = std::move(answer);
}

std::vector<std::string> FakeInfluxd::requests() const {
  const MutexLock lock(mutex_);
  return requests_;
}

void FakeInfluxd::serve() {
  while (wait(listener_.number(), POLLIN, kForEver)) {
    Fd connection(::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!connection) continue;
    const MutexLock lock(mutex_);
    workers_.emplace_back(
        [this, owned = std::move(connection)]() mutable { serve_connection(std::move(owned)); });
  }
}

void FakeInfluxd::serve_connection(Fd connection) {
  const std::string request = receive_request(connection);
  if (request.empty()) return;
  Answer answer;
  {
    const MutexLock lock(mutex_);
    requests_.push_back(request);
    answer = choose(request);
  }
  send_answer(std::move(connection), answer);
}

// A client sends its request in one go, which loopback delivers in one piece.
std::string FakeInfluxd::receive_request(const Fd& connection) const {
  if (!wait(connection.number(), POLLIN, kForEver)) return {};
  std::array<char, 8192> buffer;
  const ssize_t count = ::recv(connection.number(), buffer.data(), buffer.size(), 0);
  return count <= 0 ? std::string() : std::string(buffer.data(), static_cast<size_t>(count));
}

Answer FakeInfluxd::choose(const std::string& request) {
  if (everything_) return *everything_;
  if (request.size() < 2 || request[0] != 3) return {};
  const auto second = static_cast<uint8_t>(request[1]);
  if (dialect_ == Dialect::k15) {
    if (second > kHighestType || !request.ends_with('\n')) return {};
    const Json json = Json::parse(request.substr(2), nullptr, false);
    if (!json.is_object()) return {};
    if (second == 3)
      return find(databases_, json.value("BackupDatabase", std::string())).value_or(Answer{});
    if (second == 0 && json.value("Since", std::string()).starts_with("2262")) return heads_;
    return choose_shard_or_metastore(second, json.value("ShardID", uint64_t{0}));
  }
  const Json json = Json::parse(request.substr(1), nullptr, false);
  if (!json.is_object()) return {};
  const auto type = json.value("Type", uint8_t{0});
  if (type == 2) return find(databases_, json.value("Database", std::string())).value_or(Answer{});
  if (type == 0 && json.value("Since", std::string()).starts_with("2262")) return heads_;
  return choose_shard_or_metastore(type, json.value("ShardID", uint64_t{0}));
}

std::optional<Answer> FakeInfluxd::take_first(std::deque<Answer>& answers) {
  if (answers.empty()) return std::nullopt;
  Answer answer = std::move(answers.front());
  answers.pop_front();
  return answer;
}

Answer FakeInfluxd::choose_shard_or_metastore(uint8_t type, uint64_t shard) {
  if (type == 1) {
    if (auto once = take_first(metastore_once_)) return *once;
    return metastore_.value_or(Answer{});
  }
  if (type == kRangeType) return find(ranges_, shard).value_or(Answer{});
  if (type != 0) return {};
  size_t& refusals = refusals_[shard];
  if (refusals > 0) {
    --refusals;
    return {};
  }
  if (auto once = take_first(once_[shard])) return *once;
  return find(shards_, shard).value_or(Answer{});
}

void FakeInfluxd::send_answer(Fd connection, const Answer& answer) const {
  const int socket = connection.number();
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  std::string_view rest = std::string_view(answer.bytes).substr(0, answer.cut_at);
  while (!rest.empty()) {
    if (!wait(socket, POLLOUT, kForEver)) return;
    const size_t piece =
        answer.piece_bytes == 0 ? rest.size() : std::min(answer.piece_bytes, rest.size());
    const ssize_t count = ::send(socket, rest.data(), piece, MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) return;
    if (count > 0) rest.remove_prefix(static_cast<size_t>(count));
    // A pause is a wait for the end of the fake, which only ends early when that comes.
    if (answer.pause > milliseconds(0) && !wait(-1, 0, answer.pause)) return;
  }
  if (answer.end == Answer::End::kReset) {
    const linger at_once{1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return;
  }
  if (answer.end == Answer::End::kClose) ::shutdown(socket, SHUT_WR);
  wait(socket, POLLIN, kForEver);  // for the peer to close
}

bool FakeInfluxd::wait(int socket, short events, milliseconds timeout) const {
  std::array<pollfd, 2> entries{{{stop_read_.number(), POLLIN, 0}, {socket, events, 0}}};
  int ready = -1;
  do {
    ready = ::poll(entries.data(), entries.size(), static_cast<int>(timeout.count()));
  } while (ready < 0 && errno == EINTR);
  return entries[0].revents == 0;
}

}  // namespace tsmfs::support
