// Tars for tests: sound ones written by libarchive, and blocks made by hand for those that are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tsmfs::support {

enum class TarForm { kUstar, kPax, kGnu };

struct TarEntry {
  std::string name;
  std::string data;
  int64_t mtime_s = 1'454'349'756;
  long mtime_ns = 0;
  bool directory = false;
};

// A whole tar with its trailer and no padding behind it, as influxd sends it.
std::string make_tar(const std::vector<TarEntry>& entries, TarForm form);

// The fields of a header block, exactly as they will stand there. Longer ones are cut at their
// field's end.
struct RawHeader {
  std::string name = "db/rp/1/000000001-000000001.tsm";
  std::string mode = "0000644";
  std::string uid = "0000000";
  std::string size = "00000000000";
  std::string mtime = "12653741274";
  char type = '0';
  std::string magic = std::string("ustar\0", 6) + "00";
  std::string prefix;
};

std::string raw_header(const RawHeader& header);
// Makes the checksum of the block at `offset` right again.
void seal_header(std::string& tar, size_t offset = 0);
// "0000001750" and so on, with the NUL.
std::string octal(uint64_t value, size_t digits = 11);
// GNU's large numbers, 12 bytes.
std::string base256(int64_t value);
// `data` and the zeros that fill its last block.
std::string padded(std::string_view data);
// A header with the data's size, then the data.
std::string raw_member(RawHeader header, std::string_view data);
// "17 path=db/rp/1\n"
std::string pax_record(std::string_view key, std::string_view value);
// A whole 'x' (or 'g') member.
std::string pax_member(std::string_view records, char type = 'x');
// A whole 'L' member, the NUL included.
std::string long_name_member(std::string_view name);
// Two zero blocks.
std::string tar_trailer();

}  // namespace tsmfs::support
