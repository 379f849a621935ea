#include "tests/support/upload_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "index/base/bytes.h"
#include "index/base/error.h"
#include "snapshot/influxdb/metastore_answer.h"
#include "tests/support/fake_influxd.h"
#include "tests/support/loopback.h"

namespace tsmfs::support {

namespace {

// At most `count` bytes; fewer at the client's end.
std::string receive(const Fd& connection, size_t count) {
  std::string text(count, '\0');
  size_t done = 0;
  while (done < count) {
    const ssize_t got = ::recv(connection.number(), text.data() + done, count - done, 0);
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  text.resize(done);
  return text;
}

std::string receive_line(const Fd& connection) {
  std::string line;
  for (;;) {
    const std::string byte = receive(connection, 1);
    if (byte.empty() || byte == "\n") return line;
    line += byte;
  }
}

void send_all(const Fd& connection, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(connection.number(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<size_t>(sent));
  }
}

}  // namespace

UploadServer::UploadServer() {
  std::tie(listener_, port_) = listen_on_loopback();
  thread_ = std::thread([this] { serve(); });
}

UploadServer::~UploadServer() {
  ::shutdown(listener_.number(), SHUT_RDWR);
  thread_.join();
}

void UploadServer::set_metastore(std::string meta_db) {
  const MutexLock lock(mutex_);
  meta_db_ = std::move(meta_db);
}

void UploadServer::answer_update(NumberPairs pairs) {
  std::string answer = big_endian(snapshot::kMetastoreMagic) + big_endian(pairs.size());
  for (const auto& [from, to] : pairs) answer += big_endian(from) + big_endian(to);
  answer_update_with(std::move(answer));
}

void UploadServer::answer_update_with(std::string bytes) {
  const MutexLock lock(mutex_);
  update_answers_.push_back(std::move(bytes));
}

void UploadServer::reset_after(uint64_t shard, size_t bytes) {
  const MutexLock lock(mutex_);
  resets_[shard] = bytes;
}

std::vector<MetastoreUpdate> UploadServer::updates() const {
  const MutexLock lock(mutex_);
  return updates_;
}

std::map<uint64_t, std::string> UploadServer::uploads() const {
  const MutexLock lock(mutex_);
  return uploads_;
}

void UploadServer::serve() {
  for (;;) {
    const Fd connection(::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection) return;
    serve_connection(connection);
  }
}

void UploadServer::serve_connection(const Fd& connection) {
  const std::string head = receive(connection, 2);
  if (head.size() < 2 || head[0] != 3) return;
  if (head[1] == 6) return serve_update(connection);
  if (head[1] == 7) return serve_upload(connection);
  receive_line(connection);
  if (head[1] != 1) return;
  const MutexLock lock(mutex_);
  send_all(connection, frame_metastore(meta_db_));
}

void UploadServer::serve_update(const Fd& connection) {
  const std::string json = receive_line(connection);
  const auto fields = nlohmann::json::parse(json, nullptr, false);
  const std::string meta_db =
      receive(connection, fields.is_object() ? fields.value("UploadSize", size_t{0}) : 0);
  const MutexLock lock(mutex_);
  updates_.push_back({json, meta_db});
  if (update_answers_.empty()) return;
  send_all(connection, update_answers_.front());
  if (update_answers_.size() > 1) update_answers_.erase(update_answers_.begin());
}

void UploadServer::serve_upload(const Fd& connection) {
  const std::string number = receive(connection, 8);
  if (number.size() < 8) return;
  const auto shard = load_be<uint64_t>(as_bytes(number).data());
  size_t bytes_max = SIZE_MAX;
  {
    const MutexLock lock(mutex_);
    if (const auto found = resets_.find(shard); found != resets_.end()) bytes_max = found->second;
  }
  std::string all;
  for (std::string piece; all.size() < bytes_max;) {
    piece = receive(connection, std::min<size_t>(4096, bytes_max - all.size()));
    if (piece.empty()) break;
    all += piece;
  }
  if (bytes_max != SIZE_MAX) {
    const linger at_once{1, 0};
    ::setsockopt(connection.number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  const MutexLock lock(mutex_);
  uploads_[shard] = all;
}

}  // namespace tsmfs::support
