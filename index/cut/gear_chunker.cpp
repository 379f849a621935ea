#include "index/cut/gear_chunker.h"

#include <algorithm>
#include <array>
#include <bit>

#include "index/base/invariant.h"

namespace tsmfs::index {

namespace {

// splitmix64 (Steele et al., OOPSLA '14) from a fixed seed: cuts are the same in every repository.
constexpr std::array<uint64_t, 256> make_gear() {
  std::array<uint64_t, 256> gear{};
  uint64_t state = 0x74736d6673;  // "tsmfs"
  for (uint64_t& value : gear) {
    uint64_t z = (state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    value = z ^ (z >> 31);
  }
  return gear;
}
constexpr std::array<uint64_t, 256> kGear = make_gear();

constexpr unsigned kNormalisation = 2;

uint64_t top_bits(unsigned count) {
  return ~uint64_t{0} << (64 - count);
}

}  // namespace

size_t first_cut(ByteView bytes, const CutParameters& parameters) {
  require_invariant(parameters.bytes_average >= size_t{1} << (kNormalisation + 1) &&
                        parameters.bytes_average <= size_t{1} << 32,
                    "cuts have an average size that a mask can make");
  const size_t end = std::min(bytes.size(), parameters.bytes_max);
  if (end <= parameters.bytes_min) return end;
  const auto bits = static_cast<unsigned>(std::countr_zero(parameters.bytes_average));
  const uint64_t strict = top_bits(bits + kNormalisation), loose = top_bits(bits - kNormalisation);
  const size_t middle = std::min(end, parameters.bytes_average);
  uint64_t hash = 0;
  size_t i = parameters.bytes_min;
  for (; i < middle; ++i) {
    hash = (hash << 1) + kGear[std::to_integer<size_t>(bytes[i])];
    if ((hash & strict) == 0) return i + 1;
  }
  for (; i < end; ++i) {
    hash = (hash << 1) + kGear[std::to_integer<size_t>(bytes[i])];
    if ((hash & loose) == 0) return i + 1;
  }
  return end;
}

}  // namespace tsmfs::index
