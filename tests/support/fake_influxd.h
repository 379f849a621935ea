// An influxd snapshot service on a loopback port that answers what a test has prepared, as badly as
// the test likes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "index/base/file.h"
#include "index/base/mutex.h"
#include "snapshot/server/endpoint.h"
#include "snapshot/server/influxd_client.h"

namespace tsmfs::support {

struct Answer {
  enum class End { kClose, kReset, kStall };
  std::string bytes;
  size_t cut_at = SIZE_MAX;            // no byte from here on is sent
  End end = End::kClose;               // what comes then
  size_t piece_bytes = 0;              // sent so many at a time; 0: all at once
  std::chrono::milliseconds pause{0};  // between pieces
};

// The metastore answer as both dialects give it.
std::string frame_metastore(std::string_view meta_db, std::string_view node_json = "null\n");

// Anything without a prepared answer gets an empty one, like a request in the other dialect. Thread
// safe; connections are served side by side. The destructor ends all of them.
class FakeInfluxd {
 public:
  explicit FakeInfluxd(snapshot::Dialect dialect);
  ~FakeInfluxd();
  FakeInfluxd(const FakeInfluxd&) = delete;
  FakeInfluxd& operator=(const FakeInfluxd&) = delete;

  snapshot::Endpoint endpoint() const { return {"127.0.0.1", port_}; }
  void answer_metastore(Answer answer);
  // To one request, before that; several queue up.
  void answer_metastore_once(Answer answer);
  void answer_database(const std::string& name, Answer answer);
  void answer_shard(uint64_t id, Answer answer);
  // What is later than all times is nothing, whatever is prepared; until a test says otherwise.
  void answer_heads(Answer answer);
  // To requests for a time range of that shard; without one they get an empty answer, as while the
  // server cannot write its cache out.
  void answer_range(uint64_t id, Answer answer);
  // To one request for that shard, before the answers above; several queue up.
  void answer_shard_once(uint64_t id, Answer answer);
  // The next `count` requests for that shard end without a byte, as while influxd writes its cache
  // out.
  void refuse_shard_times(uint64_t id, size_t count);
  // To every request, whatever it says: a server of another kind.
  void answer_everything(Answer answer);
  // All requests so far, as received.
  std::vector<std::string> requests() const;

 private:
  void serve();
  void serve_connection(Fd connection);
  std::string receive_request(const Fd& connection) const;
  Answer choose(const std::string& request) TSMFS_REQUIRES(mutex_);
  static std::optional<Answer> take_first(std::deque<Answer>& answers);
  Answer choose_shard_or_metastore(uint8_t type, uint64_t shard) TSMFS_REQUIRES(mutex_);
  void send_answer(Fd connection, const Answer& answer) const;
  // False when the fake is to end.
  bool wait(int socket, short events, std::chrono::milliseconds timeout) const;

  snapshot::Dialect dialect_;
  uint16_t port_ = 0;
  Fd listener_;
  Fd stop_read_, stop_write_;  // a pipe; closing the write end ends all waits
  mutable Mutex mutex_;
  std::optional<Answer> metastore_ TSMFS_GUARDED_BY(mutex_);
  std::deque<Answer> metastore_once_ TSMFS_GUARDED_BY(mutex_);
  std::optional<Answer> everything_ TSMFS_GUARDED_BY(mutex_);
  std::map<std::string, Answer> databases_ TSMFS_GUARDED_BY(mutex_);
  std::map<uint64_t, Answer> shards_ TSMFS_GUARDED_BY(mutex_);
  std::map<uint64_t, Answer> ranges_ TSMFS_GUARDED_BY(mutex_);
  Answer heads_ TSMFS_GUARDED_BY(mutex_) = {std::string(1024, '\0')};
  std::map<uint64_t, std::deque<Answer>> once_ TSMFS_GUARDED_BY(mutex_);
  std::map<uint64_t, size_t> refusals_ TSMFS_GUARDED_BY(mutex_);
  std::vector<std::string> requests_ TSMFS_GUARDED_BY(mutex_);
  std::vector<std::thread> workers_ TSMFS_GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace tsmfs::support
