#include "snapshot/influxdb/metastore_answer.h"

#include <fmt/format.h>

#include <array>

#include "index/base/error.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/model/metastore_limit.h"

namespace tsmfs::snapshot {

namespace {

// Its length, then that many bytes.
ByteBuffer read_part(ByteStream& stream, uint64_t bytes_max, const std::string& what) {
  std::array<std::byte, 8> head;
  if (read_up_to(stream, head) < head.size())
    throw ProtocolError(what + " is cut short before its length");
  const uint64_t length = load_be<uint64_t>(head.data());
  if (length == 0 || length > bytes_max)
    throw ProtocolError(
        fmt::format("{} says it has {} bytes, not 1 to {}", what, length, bytes_max));
  ByteBuffer content;
  read_into(stream, length, content);
  if (content.size() < length)
    throw ProtocolError(
        fmt::format("{} is cut short: {} bytes of {}", what, content.size(), length));
  return content;
}

}  // namespace

MetastoreAnswer read_metastore_parts(ByteStream& stream, const std::string& label) {
  MetastoreAnswer answer;
  answer.meta_db = read_part(stream, kMetastoreBytesMax, label + ": the metastore");
  answer.node_json = read_part(stream, kNodeJsonBytesMax, label + ": the metastore's node.json");
  std::array<std::byte, 1> behind;
  if (stream.read(behind) != 0) throw ProtocolError(label + ": bytes follow the metastore");
  return answer;
}

}  // namespace tsmfs::snapshot
