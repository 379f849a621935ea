// A strict tar reader: for what influxd streams for a shard, and for its backups on disk.
//
// Strict because the server has no other way to say that something went wrong: a member that ends
// early, a missing trailer or a byte behind it are the only signs of a backup that lacks data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "index/base/bytes.h"
#include "index/base/timestamp.h"
#include "snapshot/stream/byte_stream.h"
#include "snapshot/stream/tar_header.h"

namespace tsmfs::snapshot {

struct TarMember {
  enum class Kind { kFile, kDirectory };
  Kind kind = Kind::kFile;
  // A relative path without a slash at its end; each component is fit to stand in a directory
  // (is_valid_name).
  std::string name;
  uint64_t size = 0;  // 0 for a directory
  Timestamp mtime;
  uint32_t mode = 0;  // permission bits
};

struct TarOptions {
  uint64_t member_bytes_max = uint64_t{1} << 40;
  // Members, and headers that announce them. A shard has some thousands of files; one that never
  // ends, of members without data, would fill the memory.
  uint32_t headers_max = 100'000;
};

// Reads ustar members, GNU long names and base-256 numbers, and PAX headers. Takes no links,
// devices or sparse files. In a name without slashes backslashes stand for them: influxd writes
// those on Windows. Names may come twice; that is the caller's matter. Not thread safe.
// Requires: `stream` outlives it. Throws: ProtocolError for any deviation, saying which member, at
// which byte and what; and whatever the stream throws. The reader is of no more use then.
class TarReader {
 public:
  // `label` names the tar in messages.
  TarReader(ByteStream& stream, std::string label, TarOptions options = {});
  // The next member; what is unread of the last one is skipped. Nothing after the last: the trailer
  // has been seen then, and the end of the stream right behind it.
  std::optional<TarMember> next();
  // Puts bytes of the member at the front of `out`, straight from the stream, and says how many; 0
  // at the member's end. Requires: next() gave a member, and `out` is not empty.
  size_t read_data(MutableByteView out);
  // Bytes of the tar read so far.
  uint64_t position() const { return position_; }

 private:
  struct Pending;  // what 'x' and 'L' headers say of the member to come
  bool read_block(TarBlock& block);
  void read_trailer();
  ByteBuffer read_extension(const TarHeader& header, uint64_t bytes_max);
  void take_extension(const TarHeader& header, Pending& pending);
  TarMember start_member(const TarHeader& header, const Pending& pending);
  TarMember make_member(const TarHeader& header, const Pending& pending);
  void skip_rest();
  void read_exactly(MutableByteView out, const char* what);
  [[noreturn]] void fail(const std::string& why) const;

  ByteStream& stream_;
  std::string label_;
  TarOptions options_;
  std::string member_name_;  // for messages
  uint64_t position_ = 0;
  uint64_t header_position_ = 0;  // of the block being looked at
  uint64_t data_left_ = 0;        // of the current member
  uint32_t padding_left_ = 0;     // behind its data
  uint32_t headers_ = 0;          // so far
  bool ended_ = false;
};

}  // namespace tsmfs::snapshot
