// Writes a tar of stored files, as influxd streams a shard.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "index/base/bytes.h"
#include "index/format/digest.h"
#include "snapshot/stream/byte_sink.h"
#include "snapshot/stream/file_sequence_reader.h"
#include "snapshot/stream/tar_member.h"

namespace tsmfs::snapshot {

// The last block of a member goes out together with what follows it: a stream that is broken off
// ends within a member, never between two, which influxd (Go's archive/tar) would take for its
// end. And the last block of a file whose digest is wrong never goes out.
//
// Not thread safe. Requires: the sink outlives it. After a throw it is of no more use; what has
// been written is no whole tar.
class TarWriter {
 public:
  TarWriter(ByteSink& sink, TarOwner owner, std::stop_token stop);
  // A stored file, the next that `content` reads, checked against `id` on the way. Throws:
  // CorruptError when its length or its digest is wrong, IoError, Cancelled, what the sink throws.
  void add_file(const TarMemberInfo& member, const index::FileId& id, const index::DigestKey& key,
                FileSequenceReader& content);
  // Requires: member.size == content.size().
  void add_bytes(const TarMemberInfo& member, ByteView content);
  void add_directory(TarMemberInfo member);
  // The trailer: 1024 zero bytes, and nothing behind them.
  void finish();
  // Of the tar so far.
  uint64_t bytes() const { return bytes_; }

 private:
  void begin(const TarMemberInfo& member);
  // All of a member's content but its last block, which is held.
  void put(std::vector<ByteView>& pieces, uint64_t held_bytes);

  ByteSink& sink_;
  TarOwner owner_;
  std::stop_token stop_;
  ByteBuffer held_;  // written before anything else
  uint64_t bytes_ = 0;
};

}  // namespace tsmfs::snapshot
