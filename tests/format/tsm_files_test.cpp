// TSM files that real servers wrote, as they are kept beside this file: each block is encoded again
// to its very bytes.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <variant>

#include "index/blocks/block_codec.h"
#include "index/tsm/tsm_layout.h"

namespace tsmfs::test {
namespace {

using index::TsmDialect;

std::string read_tsm_file(const std::string& name) {
  std::ifstream in(std::filesystem::path(TSMFS_IMAGES) / "tsm" / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct WrittenBy {
  std::set<uint8_t> types;
  size_t stream = 0, batch = 0;
};

WrittenBy encode_again(const std::string& name) {
  const std::string file = read_tsm_file(name);
  index::MemorySource source(as_bytes(file));
  const auto layout = std::get<index::TsmLayout>(index::read_tsm_layout(source));
  WrittenBy found;
  index::TsmPoints points;
  index::TsmBlockEncoder encoder;
  uint64_t offset = index::kTsmHeaderBytes;
  for (const uint32_t length : layout.block_lengths) {
    const auto dialect = index::find_tsm_dialect(source.view(offset, length), points, encoder);
    EXPECT_TRUE(dialect) << name << " at byte " << offset;
    found.types.insert(points.type);
    ++(dialect == TsmDialect::kStream ? found.stream : found.batch);
    offset += length;
  }
  return found;
}

TEST(TsmFiles, ServersUpTo16HaveOneDialect) {
  for (const char* name : {"influxd-1.6.7-cache.tsm", "influxd-1.6.7-compacted.tsm"}) {
    const WrittenBy found = encode_again(name);
    EXPECT_EQ(found.types, (std::set<uint8_t>{0, 1, 2, 3})) << name;
    EXPECT_GT(found.stream, 0u);
    EXPECT_EQ(found.batch, 0u);
  }
}

// This one was built to take unsigned integers.
TEST(TsmFiles, LaterServersHaveAnotherForCompactions) {
  const std::set<uint8_t> all_types = {0, 1, 2, 3, 4};
  const WrittenBy cache = encode_again("influxd-1.8.10-cache.tsm");
  EXPECT_EQ(cache.types, all_types);
  EXPECT_EQ(cache.batch, 0u);
  const WrittenBy compacted = encode_again("influxd-1.8.10-compacted.tsm");
  EXPECT_EQ(compacted.types, all_types);
  EXPECT_GT(compacted.batch, 0u);
}

}  // namespace
}  // namespace tsmfs::test
