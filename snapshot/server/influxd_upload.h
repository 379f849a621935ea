// Puts databases and shards into a running influxd 1.5+ (requests 6 and 7 of its snapshot service).
//
// One TCP connection carries one request. The server answers a metastore with the numbers that it
// gave, and a shard with nothing: it ends the connection when the shard can be queried.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "index/base/bytes.h"
#include "index/base/name.h"
#include "snapshot/server/endpoint.h"
#include "snapshot/server/tcp_stream.h"
#include "snapshot/stream/byte_sink.h"

namespace tsmfs::snapshot {

// A database, or one of its policies, and what the server is to call it.
struct ImportNames {
  std::string database;  // as the metastore has it
  Name new_database;
  std::string policy;              // empty: all of them
  std::optional<Name> new_policy;  // nothing keeps the name
};

// Number of a shard in the uploaded metastore → number that the server gave it.
using ShardNumbers = std::map<uint64_t, uint64_t>;

// All throw: ProtocolError; Cancelled within 200 ms of a stop. Thread safe.
class InfluxdUpload {
 public:
  // Finds the host's addresses.
  InfluxdUpload(Endpoint endpoint, TcpTimeouts timeouts, std::stop_token stop);
  // Makes the database with its policies and shards, all of them empty. An empty answer: the server
  // imported nothing, for instance since it has a database of that name. Throws also: ProtocolError
  // when the answer names other shards than `shards`.
  ShardNumbers import_metastore(ByteView meta_db, const ImportNames& names,
                                const std::set<uint64_t>& shards) const;
  // Sends what `write_tar` writes, a tar of .tsm files named newdb/newrp/number/file. Returns when
  // the server has ended the connection: queries find the shard's data then. What `write_tar`
  // throws goes on, and the server drops what it got, as long as the tar ends within a member
  // (TarWriter).
  void upload_shard(uint64_t number, const std::function<void(ByteSink&)>& write_tar) const;
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  Endpoint endpoint_;
  TcpTimeouts timeouts_;
  std::stop_token stop_;
  std::vector<TcpAddress> addresses_;
};

}  // namespace tsmfs::snapshot
