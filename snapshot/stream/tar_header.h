// The forms inside a tar: the 512-byte header block (POSIX ustar, GNU), its numbers, PAX records,
// member names.
//
// Pure: bytes in, values out. Throws TarFormError (never let out of TarReader, which says where)
// for anything malformed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "index/base/bytes.h"
#include "index/base/timestamp.h"

namespace tsmfs::snapshot {

constexpr size_t kTarBlockBytes = 512;
constexpr uint64_t kTarNameBytesMax = 64 << 10;
constexpr uint64_t kPaxBytesMax = 1 << 20;
using TarBlock = std::array<std::byte, kTarBlockBytes>;

class TarFormError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct TarHeader {
  std::string name;  // as it stands there, prefix and all; not checked
  char type = '0';   // '0' also for NUL
  uint64_t size = 0;
  int64_t mtime_s = 0;
  uint32_t mode = 0;  // permission bits
};

// What the checksum field of a block has to hold, whatever it holds: six octal digits, a NUL and a
// space, as every tar program writes it.
std::string tar_checksum(const TarBlock& block);
// The zeros behind content of so many bytes, up to the next block.
inline uint32_t tar_padding(uint64_t size) {
  return static_cast<uint32_t>((kTarBlockBytes - size % kTarBlockBytes) % kTarBlockBytes);
}
// Checks the checksum and every number.
TarHeader parse_tar_header(const TarBlock& block);
bool is_zero(ByteView bytes);

// What a PAX header says, as far as it concerns us.
struct PaxRecords {
  std::optional<std::string> path;
  std::optional<uint64_t> size;
  std::optional<Timestamp> mtime;
};

PaxRecords parse_pax_records(ByteView content);
// The content of a GNU 'L' member.
std::string parse_long_name(ByteView content);
// Nanoseconds of a whole number of seconds.
Timestamp tar_time(int64_t seconds);
// Throws unless `name` is a relative path of components that is_valid_name() takes.
void check_member_name(std::string_view name);

}  // namespace tsmfs::snapshot
