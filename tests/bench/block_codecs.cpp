// TSM blocks of 1 000 points, decoded and encoded: bytes are those of the blocks.
#include <benchmark/benchmark.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "index/blocks/block_codec.h"

namespace {

using namespace tsmfs;

// So many that no branch of all of them is remembered.
constexpr size_t kBlocks = 300;
constexpr size_t kPoints = 1000;
constexpr int64_t kSecondNs = 1'000'000'000;

enum class Data : uint8_t {
  kDecimals,  // floats of two decimals, that wander
  kNoise,     // floats of full precision
  kGauge,     // integers that wander
  kCounter,   // integers that grow by about the same
  kJitter,    // times that are late by up to a millisecond
  kStates,    // strings, of which few differ
};

double two_decimals(double value) {
  return std::round(value * 100) / 100;
}

void add_string(size_t number, index::TsmPoints& points) {
  append(points.text, as_bytes(number % 7 == 0 ? "degraded: replica lag" : "running"));
  points.text_ends.push_back(static_cast<uint32_t>(points.text.size()));
}

index::TsmPoints points_of(Data data, std::mt19937_64& random) {
  index::TsmPoints points;
  points.type = data == Data::kStates                            ? index::kTsmStringType
                : data == Data::kGauge || data == Data::kCounter ? index::kTsmIntegerType
                                                                 : index::kTsmFloatType;
  std::normal_distribution<double> step;
  double level = 50;
  uint64_t integer = random() % 1'000'000;
  for (size_t i = 0; i < kPoints; ++i) {
    const auto late = data == Data::kJitter ? static_cast<int64_t>(random() % 1'000'000) : 0;
    points.times_ns.push_back((1'600'000'000 + static_cast<int64_t>(i) * 10) * kSecondNs + late);
    level += step(random);
    integer += data == Data::kCounter ? 5000 + random() % 100 : random() % 65 - 32;
    if (data == Data::kStates)
      add_string(random(), points);
    else if (points.type == index::kTsmIntegerType)
      points.values.push_back(integer);
    else
      points.values.push_back(
          std::bit_cast<uint64_t>(data == Data::kNoise ? level * 1.234567 : two_decimals(level)));
  }
  return points;
}

struct Blocks {
  explicit Blocks(Data data) {
    std::mt19937_64 random(1);
    index::TsmBlockEncoder encoder;
    for (size_t i = 0; i < kBlocks; ++i) {
      points.push_back(points_of(data, random));
      const ByteView block = encoder.encode(points.back(), index::TsmDialect::kStream);
      blocks.emplace_back(block.begin(), block.end());
      bytes += block.size();
    }
  }
  std::vector<index::TsmPoints> points;
  std::vector<ByteBuffer> blocks;
  size_t bytes = 0;
};

void count_block_bytes(benchmark::State& state, const Blocks& blocks) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(blocks.bytes));
}

void decode_blocks(benchmark::State& state, Data data) {
  const Blocks blocks(data);
  index::TsmPoints points;
  for (auto _ : state)
    for (const ByteBuffer& block : blocks.blocks) {
      index::decode_tsm_block(block, points);
      benchmark::DoNotOptimize(points.values.data());
    }
  count_block_bytes(state, blocks);
}

void encode_blocks(benchmark::State& state, Data data, index::TsmDialect dialect) {
  const Blocks blocks(data);
  index::TsmBlockEncoder encoder;
  for (auto _ : state)
    for (const index::TsmPoints& points : blocks.points)
      benchmark::DoNotOptimize(encoder.encode(points, dialect).data());
  count_block_bytes(state, blocks);
}

BENCHMARK_CAPTURE(decode_blocks, decimals, Data::kDecimals);
BENCHMARK_CAPTURE(decode_blocks, noise, Data::kNoise);
BENCHMARK_CAPTURE(decode_blocks, gauge, Data::kGauge);
BENCHMARK_CAPTURE(decode_blocks, counter, Data::kCounter);
BENCHMARK_CAPTURE(decode_blocks, jitter, Data::kJitter);
BENCHMARK_CAPTURE(decode_blocks, states, Data::kStates);
BENCHMARK_CAPTURE(encode_blocks, decimals, Data::kDecimals, index::TsmDialect::kStream);
BENCHMARK_CAPTURE(encode_blocks, noise, Data::kNoise, index::TsmDialect::kStream);
BENCHMARK_CAPTURE(encode_blocks, gauge, Data::kGauge, index::TsmDialect::kStream);
BENCHMARK_CAPTURE(encode_blocks, gauge_batch, Data::kGauge, index::TsmDialect::kBatch);
BENCHMARK_CAPTURE(encode_blocks, counter, Data::kCounter, index::TsmDialect::kStream);
BENCHMARK_CAPTURE(encode_blocks, jitter, Data::kJitter, index::TsmDialect::kStream);
BENCHMARK_CAPTURE(encode_blocks, states, Data::kStates, index::TsmDialect::kStream);

}  // namespace
