// Holds what a server answers against what its data say: a backup that boots, and answers what was
// stored, is one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "snapshot/influxdb/metastore.h"
#include "snapshot/model/filter.h"
#include "snapshot/points/stored_points.h"
#include "snapshot/server/query_client.h"

namespace tsmfs::snapshot {

// Something that the server answers otherwise.
struct Difference {
  // As far as it is about one.
  std::string database = {}, policy = {}, measurement = {}, field = {};
  std::string what = {};                   // "points", "first time", "series", ...
  std::string stored = {}, answered = {};  // empty: there is none
  // `stored` is what the past server answers, `answered` what a live one does.
  bool beside_live = false;
};
// "telegraf.autogen.cpu.usage: points: 20000 stored, 19990 answered", fit for a terminal.
std::string describe(const Difference& difference);

struct Rehearsal {
  uint64_t databases = 0, policies = 0, shards = 0, measurements = 0, fields = 0, series = 0;
  uint64_t points = 0;  // of all fields
  // What was not compared, since no query finds it on any server, one phrase each.
  std::vector<std::string> unasked;
  std::vector<Difference> differences;
};

struct RehearsalRequest {
  const Metastore& metastore;  // that the server has
  const StoredPoints& stored;  // of the shards that it has
  Filter filter;               // databases, policy, shard: what the server has of the metastore
  bool sampled = false;        // only some measurements were counted
  bool exact_series = true;    // it can count series: influxd 1.5 and later
  bool index_in_memory = false;
};
// The name under which the server lists a measurement: an index in memory, made at a start, takes
// the backslash out of `\=` and `\"`, too (escape.Unescape; 1.4 to 1.8).
std::string listed_name(const RehearsalRequest& request, const std::string& measurement);
// Whether a query finds its points.
bool can_be_asked(const RehearsalRequest& request, const std::string& measurement);

// Compares databases, policies, shards, measurements, series, and of each field of each measurement
// that `stored` has the count, the first and the last time. A query that the server refuses is a
// difference. Throws: ProtocolError, Cancelled.
Rehearsal rehearse(QueryClient& server, const RehearsalRequest& request);

}  // namespace tsmfs::snapshot
