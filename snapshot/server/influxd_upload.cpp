#include "snapshot/server/influxd_upload.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "index/base/error.h"
#include "snapshot/influxdb/metastore_answer.h"
#include "snapshot/stream/byte_stream.h"

namespace tsmfs::snapshot {

namespace {

using Json = nlohmann::json;

constexpr std::byte kMuxHeader{3};
constexpr std::byte kMetastoreUpdate{6};
constexpr std::byte kShardUpdate{7};
constexpr size_t kSendBytes = size_t{256} << 10;
constexpr const char* kLogAdvice = "the server's log says why";

// Small pieces go out together. What one write() gave is never cut apart by the buffer's end.
class ConnectionSink : public ByteSink {
 public:
  explicit ConnectionSink(TcpStream& stream) : stream_(stream) { buffer_.reserve(kSendBytes); }
  void write(ByteView bytes) override {
    if (buffer_.size() + bytes.size() > kSendBytes) flush();
    if (bytes.size() >= kSendBytes) {
      stream_.write(bytes);
    } else {
      append(buffer_, bytes);
    }
  }
  void flush() {
    stream_.write(buffer_);
    buffer_.clear();
  }

 private:
  TcpStream& stream_;
  ByteBuffer buffer_;
};

ByteBuffer encode_import(ByteView meta_db, const ImportNames& names) {
  Json fields{{"Type", std::to_integer<int>(kMetastoreUpdate)},
              {"BackupDatabase", names.database},
              {"RestoreDatabase", names.new_database.text()},
              {"UploadSize", meta_db.size()}};
  if (!names.policy.empty()) {
    fields["BackupRetentionPolicy"] = names.policy;
    fields["RestoreRetentionPolicy"] = names.new_policy ? names.new_policy->text() : names.policy;
  }
  ByteBuffer request{kMuxHeader, kMetastoreUpdate};
  append(request, as_bytes(fields.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"));
  append(request, meta_db);
  return request;
}

uint64_t read_number(ByteStream& stream, const std::string& peer) {
  std::array<std::byte, 8> bytes;
  if (read_up_to(stream, bytes) < bytes.size())
    throw ProtocolError(peer + ": the answer to the metastore is cut short", kLogAdvice);
  return load_be<uint64_t>(bytes.data());
}

}  // namespace

InfluxdUpload::InfluxdUpload(Endpoint endpoint, TcpTimeouts timeouts, std::stop_token stop)
    : endpoint_(std::move(endpoint)), timeouts_(timeouts), stop_(std::move(stop)) {
  addresses_ = resolve(endpoint_, timeouts_.connect, stop_);
}

ShardNumbers InfluxdUpload::import_metastore(ByteView meta_db, const ImportNames& names,
                                             const std::set<uint64_t>& shards) const {
  const std::string peer = endpoint_.text();
  TcpStream stream(endpoint_, addresses_, timeouts_, stop_);
  // In one piece: the server reads the metastore with a single read.
  stream.write(encode_import(meta_db, names));
  if (!stream.wait_for_byte())
    throw ProtocolError(peer + " does not answer to a metastore", kLogAdvice);
  if (read_number(stream, peer) != kMetastoreMagic)
    throw ProtocolError(peer + " answers something else to a metastore");
  const uint64_t count = read_number(stream, peer);
  if (count > shards.size())
    throw ProtocolError(
        fmt::format("{} answers with {} shards, where {} were sent", peer, count, shards.size()));
  ShardNumbers numbers;
  std::set<uint64_t> given;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t from = read_number(stream, peer);
    const uint64_t to = read_number(stream, peer);
    if (!shards.contains(from) || !numbers.emplace(from, to).second || !given.insert(to).second)
      throw ProtocolError(
          fmt::format("{} answers that shard {} is now {}, which cannot be", peer, from, to));
  }
  return numbers;
}

void InfluxdUpload::upload_shard(uint64_t number,
                                 const std::function<void(ByteSink&)>& write_tar) const {
  TcpStream stream(endpoint_, addresses_, timeouts_, stop_);
  ByteBuffer head{kMuxHeader, kShardUpdate};
  head.resize(head.size() + sizeof number);
  store_be(head.data() + 2, number);
  stream.write(head);
  ConnectionSink sink(stream);
  write_tar(sink);
  sink.flush();
  stream.finish_writing();
  if (stream.wait_for_byte())
    throw ProtocolError(endpoint_.text() + " answers something to the upload of a shard");
}

}  // namespace tsmfs::snapshot
