// simple8b: integers below 2^60 in words of 64 bits (Anh and Moffat, "Index compression using
// 64-bit words", 2010), big-endian, as InfluxDB 1.x has it: the selector in the upper four bits,
// the first value in the lowest; selectors 0 and 1 are runs of ones.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "index/base/bytes.h"

namespace tsmfs::index {

// How many values a word holds, and in how many bits each, by its selector. No bits: all are 1.
struct Simple8bPacking {
  uint8_t count;
  uint8_t bits;
};
constexpr std::array<Simple8bPacking, 16> kSimple8bPackings = {{{240, 0},
                                                                {120, 0},
                                                                {60, 1},
                                                                {30, 2},
                                                                {20, 3},
                                                                {15, 4},
                                                                {12, 5},
                                                                {10, 6},
                                                                {8, 7},
                                                                {7, 8},
                                                                {6, 10},
                                                                {5, 12},
                                                                {4, 15},
                                                                {3, 20},
                                                                {2, 30},
                                                                {1, 60}}};
constexpr uint64_t kSimple8bValueMax = (uint64_t{1} << 60) - 1;
constexpr size_t kSimple8bWordBytes = 8;

// When a writer takes a word for a run of ones. Servers differ, and so do the bytes.
enum class RunsOfOnes : uint8_t {
  kAnywhere,      // as soon as the next 240, or 120, are ones
  kInWindow,      // only when all of the next 240, or of the rest if that is less, are ones
  kOnlyAtTheEnd,  // only when all that is left are ones
};

// How many values the words hold. Requires: whole words.
uint64_t count_simple8b(ByteView words);

// Requires: whole words, and room for count_simple8b() values, which it returns the end of.
uint64_t* unpack_simple8b(ByteView words, uint64_t* to);

// Puts the words at `to`; returns their end. Each word holds as many of the next values as fit.
// Requires: room for a word a value; no value over kSimple8bValueMax.
std::byte* pack_simple8b(std::span<const uint64_t> values, RunsOfOnes runs, std::byte* to);

}  // namespace tsmfs::index
