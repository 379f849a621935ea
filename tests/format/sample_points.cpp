#include "tests/format/sample_points.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <utility>

#include "index/blocks/block_codec.h"
#include "tests/support/awkward_points.h"

namespace tsmfs::test {
namespace {

namespace stdfs = std::filesystem;

using index::FileKind;
using index::TsmDialect;
using index::TsmPoints;

constexpr std::array<size_t, 10> kCounts = {1, 2, 3, 7, 128, 129, 240, 361, 1000, 1500};
constexpr uint64_t kBlocksOfACount = 4;
constexpr size_t kPointsOfALargeBlock = 6000;
constexpr size_t kOddValueEach = 97;

template <typename T>
void put_be(ByteBuffer& to, T value) {
  std::byte bytes[sizeof value];
  store_be(bytes, value);
  append(to, bytes);
}

class TsmBuilder {
 public:
  TsmBuilder() {
    put_be(file_, uint32_t{0x16D116D1});
    file_.push_back(std::byte{1});
  }
  // A key of its own for each block.
  void add(const TsmPoints& points, TsmDialect dialect) {
    const ByteView block = encoder_.encode(points, dialect);
    const auto [min, max] = std::ranges::minmax(points.times_ns);
    const std::string key = fmt::format("point,n={:06}#!~#value", keys_++);
    put_be(index_, static_cast<uint16_t>(key.size()));
    append(index_, as_bytes(key));
    index_.push_back(static_cast<std::byte>(points.type));
    put_be(index_, uint16_t{1});
    put_be(index_, static_cast<uint64_t>(min));
    put_be(index_, static_cast<uint64_t>(max));
    put_be(index_, static_cast<uint64_t>(file_.size()));
    put_be(index_, static_cast<uint32_t>(block.size()));
    append(file_, block);
  }
  ByteBuffer finish() {
    const uint64_t index_offset = file_.size();
    append(file_, index_);
    put_be(file_, index_offset);
    return file_;
  }

 private:
  index::TsmBlockEncoder encoder_;
  ByteBuffer file_, index_;
  size_t keys_ = 0;
};

// Prices: decimals, but for a few.
void draw_prices(std::mt19937_64& random, TsmPoints& points) {
  for (size_t i = 0; i < points.values.size(); ++i)
    points.values[i] =
        i % kOddValueEach == 5
            ? std::bit_cast<uint64_t>(-0.0)
            : std::bit_cast<uint64_t>(static_cast<double>(random() % 100'000) / 1000);
}

// Fractions that are no decimals, few of them.
void draw_fractions(std::mt19937_64& random, TsmPoints& points) {
  for (uint64_t& value : points.values)
    value = std::bit_cast<uint64_t>(static_cast<double>(1 + random() % 9) / 7);
}

void add_blocks(TsmBuilder& file, std::mt19937_64& random, TsmDialect dialect) {
  for (uint8_t type = index::kTsmFloatType; type <= index::kTsmUnsignedType; ++type) {
    for (const size_t count : kCounts)
      for (uint64_t i = 0; i < kBlocksOfACount; ++i)
        file.add(awkward_points(random, type, count), dialect);
    file.add(awkward_points(random, type, kPointsOfALargeBlock), dialect);
  }
}

// Fields of one measurement: their times are the same.
void add_fields(TsmBuilder& file, std::mt19937_64& random, TsmDialect dialect) {
  for (const size_t count : kCounts) {
    TsmPoints points = awkward_points(random, index::kTsmFloatType, count);
    draw_prices(random, points);
    file.add(points, dialect);
    draw_fractions(random, points);
    file.add(points, dialect);
    TsmPoints others = awkward_points(random, index::kTsmIntegerType, count);
    others.times_ns = points.times_ns;
    file.add(others, dialect);
  }
}

SampleFile tsm_file(std::string name, ByteBuffer content) {
  return {std::move(name), FileKind::kTsm, std::move(content), true, 0644, {}};
}

SampleFile drawn_file(std::string name, uint64_t seed) {
  std::mt19937_64 random(seed);
  TsmBuilder file;
  for (const TsmDialect dialect : {TsmDialect::kStream, TsmDialect::kBatch}) {
    add_blocks(file, random, dialect);
    add_fields(file, random, dialect);
  }
  return tsm_file(std::move(name), file.finish());
}

SampleFile stored_file(const stdfs::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string content(std::istreambuf_iterator<char>(in), {});
  const ByteView bytes = as_bytes(content);
  return tsm_file(path.filename(), {bytes.begin(), bytes.end()});
}

}  // namespace

std::vector<SampleSnapshot> sample_history_with_points(const stdfs::path& tsm_files) {
  std::vector<SampleFile> files;
  for (const auto& entry : stdfs::directory_iterator(tsm_files))
    files.push_back(stored_file(entry.path()));
  files.push_back(drawn_file("000000001-000000001.tsm", 1));
  std::ranges::sort(files, {}, &SampleFile::name);
  std::vector<SampleSnapshot> history = sample_history();
  for (SampleSnapshot& snapshot : history) snapshot.shards[{"points", "autogen", 7}] = files;
  return history;
}

}  // namespace tsmfs::test
