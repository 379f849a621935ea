// TarReader: what it gives does not depend on how the bytes arrive, members are as long as they
// say, names stay inside.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "index/base/error.h"
#include "snapshot/stream/tar_reader.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/string_stream.h"

namespace tsmfs::fuzz {
namespace {

using snapshot::TarMember;

struct Outcome {
  std::vector<std::string> members;
  bool whole = false;
  bool operator==(const Outcome&) const = default;
};

void check_name(const std::string& name) {
  require(!name.empty() && name.front() != '/' && name.back() != '/',
          "a member's name is a relative path");
  require(name.find('\0') == std::string::npos, "a member's name holds no NUL");
  const std::string framed = "/" + name + "/";
  for (const char* part : {"//", "/./", "/../"})
    require(framed.find(part) == std::string::npos, "a member's name stays inside");
}

std::string read_member(snapshot::TarReader& reader, const TarMember& member) {
  check_name(member.name);
  std::byte buffer[300];
  std::string text = member.name + '\0' + std::to_string(member.mtime.unix_ns) + ' ' +
                     std::to_string(member.mode) + ' ';
  uint64_t bytes = 0;
  while (const size_t count = reader.read_data(buffer)) {
    text += as_text({buffer, count});
    bytes += count;
  }
  require(bytes == member.size, "a member has as many bytes as it says");
  return text;
}

Outcome read_tar(const std::string& tar, size_t piece_bytes_max) {
  support::StringStream stream(tar, piece_bytes_max);
  snapshot::TarReader reader(stream, "input");
  Outcome outcome;
  outcome.whole = takes<ProtocolError>([&] {
    while (const auto member = reader.next())
      outcome.members.push_back(read_member(reader, *member));
    require(!reader.next(), "the end stays the end");
    require(reader.position() == tar.size(), "a whole tar is read to its end");
  });
  return outcome;
}

// Skips all members, which must come to the same end.
bool skip_tar(const std::string& tar) {
  support::StringStream stream(tar);
  snapshot::TarReader reader(stream, "input");
  return takes<ProtocolError>([&] {
    while (reader.next()) {
    }
  });
}

void try_tar(const std::string& tar) {
  const Outcome outcome = read_tar(tar, SIZE_MAX);
  require(read_tar(tar, 7) == outcome, "pieces make no difference");
  require(skip_tar(tar) == outcome.whole, "skipping makes no difference");
}

void seal_header(char* block) {
  constexpr size_t kChecksumOffset = 148, kChecksumBytes = 8;
  std::memset(block + kChecksumOffset, ' ', kChecksumBytes);
  unsigned sum = 0;
  for (size_t i = 0; i < snapshot::kTarBlockBytes; ++i) sum += static_cast<unsigned char>(block[i]);
  std::snprintf(block + kChecksumOffset, kChecksumBytes - 1, "%06o", sum);
}

// Makes every block that looks like a header pass its checksum.
std::string sealed(std::string tar) {
  for (size_t offset = 0; offset + snapshot::kTarBlockBytes <= tar.size();
       offset += snapshot::kTarBlockBytes)
    if (tar.compare(offset + 257, 5, "ustar") == 0) seal_header(tar.data() + offset);
  return tar;
}

}  // namespace
}  // namespace tsmfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string tar(tsmfs::as_text(tsmfs::fuzz::input_bytes(data, size)));
  tsmfs::fuzz::try_tar(tar);
  tsmfs::fuzz::try_tar(tsmfs::fuzz::sealed(tar));
  return 0;
}
