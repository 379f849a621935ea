#include "snapshot/server/influxd_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/influxdb/path_list.h"

namespace tsmfs::snapshot {

namespace {

using Json = nlohmann::json;

constexpr int kHeadBufferBytes = 64 << 10;
constexpr const char* kZeroTime = "0001-01-01T00:00:00Z";
constexpr const char* kPortAdvice =
    "give the snapshot port: bind-address at the top of influxdb.conf, 8088 by default (8086 is "
    "the HTTP port)";

enum class Request { kShard, kMetastore, kDatabase, kRange };

// The number of a request in a dialect's table.
uint8_t request_type(Request request, Dialect dialect) {
  switch (request) {
    case Request::kShard:
      return 0;
    case Request::kMetastore:
      return 1;
    case Request::kRange:
      return 5;  // 1.5 and later only
    case Request::kDatabase:
      break;
  }
  return dialect == Dialect::k15 ? 3 : 2;
}

// The mux byte 3; from 1.5 on the type byte, JSON and a newline; before, JSON with the type in it.
std::string encode_request(Request request, Dialect dialect, Json fields = Json::object()) {
  const uint8_t type = request_type(request, dialect);
  std::string out = "\x03";
  if (dialect == Dialect::k15) {
    out += static_cast<char>(type);
  } else {
    fields["Type"] = type;
  }
  // Go, too, takes bytes that are not UTF-8 for U+FFFD.
  out += fields.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (dialect == Dialect::k15) out += '\n';
  return out;
}

std::string encode_shard_request(const ShardPath& path, std::optional<Timestamp> since,
                                 Dialect dialect) {
  const bool modern = dialect == Dialect::k15;
  Json fields = Json::object();
  fields[modern ? "BackupDatabase" : "Database"] = path.database.text();
  fields[modern ? "BackupRetentionPolicy" : "RetentionPolicy"] = path.policy.text();
  fields["ShardID"] = path.shard;
  fields["Since"] = since ? format_rfc3339_ns(*since) : kZeroTime;
  return encode_request(Request::kShard, dialect, std::move(fields));
}

// Reads the magic. False when the answer is empty.
bool read_magic(ByteStream& stream, const std::string& peer) {
  std::array<std::byte, 8> magic;
  const size_t count = read_up_to(stream, magic);
  if (count == 0) return false;
  const ByteView got = ByteView(magic).first(count);
  if (as_text(got).starts_with("HTTP/"))
    throw ProtocolError(peer + " speaks HTTP, not the snapshot protocol", kPortAdvice);
  if (count < magic.size() || load_be<uint64_t>(magic.data()) != kMetastoreMagic)
    throw ProtocolError(
        fmt::format("{} is no influxd snapshot service: it answers with {}", peer, to_hex(got)),
        kPortAdvice);
  return true;
}

}  // namespace

std::string_view dialect_name(Dialect dialect) {
  return dialect == Dialect::k15 ? "influxd 1.5+" : "influxd 1.2-1.4";
}

InfluxdOptions InfluxdOptions::with_idle_max(std::chrono::duration<double> idle) {
  InfluxdOptions options;
  options.timeouts.idle = std::chrono::duration_cast<std::chrono::milliseconds>(idle);
  options.timeouts.connect = std::min(options.timeouts.connect, options.timeouts.idle);
  options.probe_idle = std::min(options.probe_idle, options.timeouts.idle);
  return options;
}

InfluxdClient::InfluxdClient(Endpoint endpoint, InfluxdOptions options, std::stop_token stop)
    : endpoint_(std::move(endpoint)), options_(options), stop_(std::move(stop)) {}

InfluxdClient InfluxdClient::with_stop(std::stop_token stop) const {
  InfluxdClient copy = *this;
  copy.stop_ = std::move(stop);
  return copy;
}

Dialect InfluxdClient::probe() {
  addresses_ = resolve(endpoint_, options_.timeouts.connect, stop_);
  try {
    for (const Dialect dialect : {Dialect::k15, Dialect::k14}) {
      if (!answers(dialect)) continue;
      dialect_ = dialect;
      return dialect;
    }
  } catch (const ProtocolError& error) {
    // At this first word most failures mean a wrong port.
    throw ProtocolError(error.what(), error.advice().empty() ? kPortAdvice : error.advice());
  }
  throw ProtocolError(
      endpoint_.text() + " accepts connections but answers nothing to a metastore request",
      kPortAdvice);
}

bool InfluxdClient::answers(Dialect dialect) {
  const TcpTimeouts timeouts{options_.timeouts.connect, options_.probe_idle};
  const auto stream = ask(encode_request(Request::kMetastore, dialect), timeouts);
  // Later connections start with the address that works.
  std::rotate(addresses_.begin(),
              addresses_.begin() + static_cast<ptrdiff_t>(stream->address_index()),
              addresses_.end());
  return read_magic(*stream, endpoint_.text());
}

MetastoreAnswer InfluxdClient::fetch_metastore() const {
  const std::string peer = endpoint_.text();
  const auto stream = ask(encode_request(Request::kMetastore, dialect_.value()), options_.timeouts);
  if (!read_magic(*stream, peer)) throw ProtocolError(peer + " sent no metastore");
  return read_metastore_parts(*stream, peer);
}

std::optional<PathList> InfluxdClient::list_shards(std::string_view database) const {
  if (database.empty()) throw UsageError("a database name is empty");
  const bool modern = dialect_.value() == Dialect::k15;
  const Json fields{{modern ? "BackupDatabase" : "Database", database}};
  const auto stream = ask(encode_request(Request::kDatabase, *dialect_, fields), options_.timeouts);
  ByteBuffer json;
  read_into(*stream, kPathListBytesMax, json);
  const std::string label = fmt::format("{}, database {}", endpoint_.text(), quote(database));
  if (json.size() == kPathListBytesMax && stream->wait_for_byte())
    throw ProtocolError(
        fmt::format("{}: the list of shards is longer than {} bytes", label, kPathListBytesMax));
  if (json.empty()) return std::nullopt;
  return parse_path_list(as_text(json), database, label);
}

std::unique_ptr<ByteStream> InfluxdClient::open_shard(const ShardPath& path,
                                                      std::optional<Timestamp> since) const {
  auto stream = ask(encode_shard_request(path, since, dialect_.value()), options_.timeouts);
  if (!stream->wait_for_byte()) return nullptr;
  return stream;
}

std::unique_ptr<ByteStream> InfluxdClient::open_head(const ShardPath& path, Timestamp since) const {
  auto stream =
      ask(encode_shard_request(path, since, dialect_.value()), options_.timeouts, kHeadBufferBytes);
  if (!stream->wait_for_byte()) return nullptr;
  return stream;
}

std::unique_ptr<ByteStream> InfluxdClient::open_range(const ShardPath& path,
                                                      const TimeRange& range) const {
  Json fields = Json::object();
  fields["BackupDatabase"] = path.database.text();
  fields["BackupRetentionPolicy"] = path.policy.text();
  fields["ShardID"] = path.shard;
  fields["ExportStart"] = format_rfc3339_ns(range.start);
  fields["ExportEnd"] = format_rfc3339_ns(range.end);
  auto stream =
      ask(encode_request(Request::kRange, dialect_.value(), std::move(fields)), options_.timeouts);
  if (!stream->wait_for_byte()) return nullptr;
  return stream;
}

std::unique_ptr<TcpStream> InfluxdClient::ask(const std::string& request, TcpTimeouts timeouts,
                                              std::optional<int> receive_buffer) const {
  auto stream = std::make_unique<TcpStream>(endpoint_, addresses_, timeouts, stop_, receive_buffer);
  stream->write(as_bytes(request));
  return stream;
}

}  // namespace tsmfs::snapshot
