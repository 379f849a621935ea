// An influxd that serves a snapshot: the past, to be asked. What it does reaches neither the
// repository nor the present.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/serve/influxd_server.h"
#include "cli/serve/served_data.h"
#include "index/base/error.h"

namespace tsmfs::cli {

// The snapshot was forgotten while it was served.
class ForgottenError : public Error {
 public:
  using Error::Error;
};

struct PastServerRequest {
  InfluxdProgram influxd;
  InfluxdSettings settings;
  ServedPart part;
  size_t cache_bytes = index::OpenOptions::kCacheBytesDefault;
  std::chrono::steady_clock::time_point deadline =
      std::chrono::steady_clock::time_point::max();  // for the server to answer
};

// Ends the server first, then what it had. Not thread safe.
class PastServer {
 public:
  // Answers on return. Requires: as ServedData(). Throws: as that, and InfluxdServer.
  PastServer(index::Repository& repository, snapshot::Catalog& catalog, const ServedPlace& place,
             const PastServerRequest& request, const std::stop_token& stop);

  // From the beginning until it answered.
  double seconds_to_answer() const { return seconds_to_answer_; }
  const std::vector<std::string>& warnings() const { return data_.warnings(); }
  // What it does not answer of the snapshot, one phrase each: shards that influxd could not open.
  const std::vector<std::string>& problems() const { return problems_; }
  // Throws: InfluxdEndedError; ForgottenError; IoError.
  void require_sound();
  // Until a stop is requested. Throws: as require_sound().
  void serve(const std::stop_token& stop);

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double seconds_to_answer_ = 0;
  snapshot::Catalog& catalog_;
  const snapshot::SnapshotPtr snapshot_;
  ServedData data_;
  InfluxdServer influxd_;
  std::vector<std::string> problems_;
};

}  // namespace tsmfs::cli
