// A metastore as the snapshot service answers it, and as influxd backup keeps it in meta.NN.
//
// Form: magic (8 bytes, big-endian), then two parts, each a length (8 bytes, big-endian) and that
// many bytes: the metastore's protobuf, and node.json.
#pragma once

#include <cstdint>
#include <string>

#include "index/base/bytes.h"
#include "snapshot/stream/byte_stream.h"

namespace tsmfs::snapshot {

constexpr uint64_t kMetastoreMagic = 0x59590101;
constexpr uint64_t kNodeJsonBytesMax = uint64_t{1} << 20;

struct MetastoreAnswer {
  ByteBuffer meta_db;    // protobuf, what the server keeps as meta.db
  ByteBuffer node_json;  // what it keeps as node.json; "null\n" on a single node
};

// What follows the magic. Throws: ProtocolError, naming `label`, when it is not exactly that; and
// what the stream throws.
MetastoreAnswer read_metastore_parts(ByteStream& stream, const std::string& label);

}  // namespace tsmfs::snapshot
