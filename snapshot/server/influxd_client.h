// Asks the snapshot service of an InfluxDB 1.x server (bind-address, port 8088) for its metastore
// and its shards.
//
// One TCP connection carries one request. The service has no error channel: an empty answer may
// mean "no such thing" or "not now", and a clean end proves nothing. What the bytes themselves can
// tell is checked here and in TarReader.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/bytes.h"
#include "index/base/timestamp.h"
#include "snapshot/influxdb/metastore_answer.h"
#include "snapshot/influxdb/path_list.h"
#include "snapshot/model/filter.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/server/endpoint.h"
#include "snapshot/server/tcp_stream.h"
#include "snapshot/stream/byte_stream.h"

namespace tsmfs::snapshot {

// The two forms of a request; the change came with 1.5.0.
enum class Dialect { k14, k15 };
// "influxd 1.2-1.4", "influxd 1.5+"
std::string_view dialect_name(Dialect dialect);

struct InfluxdOptions {
  TcpTimeouts timeouts;
  std::chrono::milliseconds probe_idle{30'000};  // the metastore is answered at once

  // Gives up after so long without a byte, also where it would wait longer by itself.
  static InfluxdOptions with_idle_max(std::chrono::duration<double> idle);
};

// After probe() all other calls may come from several threads at a time, but influxd wants one
// request a shard at a time. All throw: ProtocolError, with advice; Cancelled within 200 ms of a
// stop.
class InfluxdClient {
 public:
  InfluxdClient(Endpoint endpoint, InfluxdOptions options, std::stop_token stop);
  // Finds the host's addresses and the dialect, and keeps both. Must come first.
  Dialect probe();
  // Throws also: ProtocolError when the answer is not exactly one metastore.
  MetastoreAnswer fetch_metastore() const;
  // The shards of a database, sorted; none is an empty list. Nothing when the server answers with
  // no byte: it does not know the name. Throws: UsageError for an empty name (1.5+ would answer for
  // all databases).
  std::optional<PathList> list_shards(std::string_view database) const;
  // The shard's tar (for TarReader), or only its files with an mtime after `since`. Null when the
  // server ends without a byte: no such shard, or (for some 10 s after a delete or during another
  // request for it) not now. Waits for the first byte. The stream does not refer to the client.
  std::unique_ptr<ByteStream> open_shard(const ShardPath& path,
                                         std::optional<Timestamp> since) const;
  // As open_shard, for who will read a little of it: the server sends not much more than is read.
  std::unique_ptr<ByteStream> open_head(const ShardPath& path, Timestamp since) const;
  // As open_shard, but the TSM blocks that overlap a time range; 1.5 and later only. For a shard
  // with tombstones the server's tar has no end. Requires: the dialect is k15.
  std::unique_ptr<ByteStream> open_range(const ShardPath& path, const TimeRange& range) const;
  // The same, ended by another token.
  InfluxdClient with_stop(std::stop_token stop) const;
  const Endpoint& endpoint() const { return endpoint_; }
  Dialect dialect() const { return dialect_.value(); }  // that probe() found

 private:
  std::unique_ptr<TcpStream> ask(const std::string& request, TcpTimeouts timeouts,
                                 std::optional<int> receive_buffer = {}) const;
  bool answers(Dialect dialect);

  Endpoint endpoint_;
  InfluxdOptions options_;
  std::stop_token stop_;
  std::vector<TcpAddress> addresses_;
  std::optional<Dialect> dialect_;
};

}  // namespace tsmfs::snapshot
