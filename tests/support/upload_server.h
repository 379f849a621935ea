// The side of an influxd 1.5+ that takes restores: metastore updates and shard uploads, kept for a
// test to look at.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "index/base/file.h"
#include "index/base/mutex.h"
#include "snapshot/server/endpoint.h"

namespace tsmfs::support {

struct MetastoreUpdate {
  std::string json;
  std::string meta_db;
};

// Old number of a shard → new one.
using NumberPairs = std::vector<std::pair<uint64_t, uint64_t>>;

// Thread safe. One connection after the other. The destructor waits for the one being served.
class UploadServer {
 public:
  UploadServer();
  ~UploadServer();
  UploadServer(const UploadServer&) = delete;
  UploadServer& operator=(const UploadServer&) = delete;

  snapshot::Endpoint endpoint() const { return {"127.0.0.1", port_}; }
  // What it answers to a request for its metastore.
  void set_metastore(std::string meta_db);
  // What it answers to the next metastore update, and to those after the last one given.
  void answer_update(NumberPairs pairs);
  // This instead, byte for byte.
  void answer_update_with(std::string bytes);
  // Uploads of this shard are reset after so many bytes of the tar.
  void reset_after(uint64_t shard, size_t bytes);

  std::vector<MetastoreUpdate> updates() const;
  // All that came for each shard, before the client's end.
  std::map<uint64_t, std::string> uploads() const;

 private:
  void serve();
  void serve_connection(const Fd& connection);
  void serve_update(const Fd& connection);
  void serve_upload(const Fd& connection);

  uint16_t port_ = 0;
  Fd listener_;
  mutable Mutex mutex_;
  std::string meta_db_ TSMFS_GUARDED_BY(mutex_);
  std::vector<std::string> update_answers_ TSMFS_GUARDED_BY(mutex_);
  std::map<uint64_t, size_t> resets_ TSMFS_GUARDED_BY(mutex_);
  std::vector<MetastoreUpdate> updates_ TSMFS_GUARDED_BY(mutex_);
  std::map<uint64_t, std::string> uploads_ TSMFS_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace tsmfs::support
