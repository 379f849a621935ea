#include "tests/support/awkward_points.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "index/blocks/float_codec.h"

namespace tsmfs::test {

namespace {

using Random = std::mt19937_64;

constexpr uint64_t kSecondNs = 1'000'000'000;

uint64_t below(Random& random, uint64_t end) {
  return random() % end;
}

// Mostly ones, in runs of about the lengths that writers look at.
uint64_t one_or_gap(Random& random) {
  return below(random, 200) == 0 ? below(random, 5) : 1;
}

uint64_t power_of_ten(uint64_t exponent) {
  uint64_t power = 1;
  for (uint64_t i = 0; i < exponent; ++i) power *= 10;
  return power;
}

// Any number of bits, so that each width is as likely.
uint64_t of_any_width(Random& random) {
  return random() >> below(random, 64);
}

uint64_t draw_delta(Random& random, uint64_t pattern, uint64_t unit) {
  switch (pattern) {
    case 0:
      return unit;
    case 1:
      return unit * one_or_gap(random);
    case 2:
      return unit * below(random, 1000);
    case 3:
      return 10 * kSecondNs + below(random, 1'000'000);
    case 4:
      return of_any_width(random) >> 4;
    case 5:
      return random();
    default:
      return of_any_width(random);
  }
}

void draw_times(Random& random, size_t count, std::vector<int64_t>& times) {
  const uint64_t pattern = below(random, 7), unit = power_of_ten(below(random, 14));
  uint64_t time = pattern < 4 ? 1'600'000'000 * kSecondNs : random();
  for (size_t i = 0; i < count; ++i) {
    times.push_back(static_cast<int64_t>(time));
    time += draw_delta(random, pattern, unit);
  }
}

uint64_t draw_awkward_float(Random& random) {
  using Limits = std::numeric_limits<double>;
  static constexpr std::array kValues = {0.0,
                                         -0.0,
                                         1.0,
                                         -1.0,
                                         Limits::infinity(),
                                         -Limits::infinity(),
                                         Limits::quiet_NaN(),
                                         Limits::denorm_min(),
                                         -Limits::denorm_min(),
                                         Limits::min(),
                                         Limits::max(),
                                         Limits::lowest()};
  return std::bit_cast<uint64_t>(kValues[below(random, kValues.size())]);
}

uint64_t draw_float(Random& random, uint64_t pattern, uint64_t last) {
  switch (pattern) {
    case 0:
      return last;
    case 1:
      return std::bit_cast<uint64_t>(static_cast<double>(below(random, 10'000)) / 100);
    case 2:
      return draw_awkward_float(random);
    case 3:
      return 0x7FF0000000000000 | random();  // NaNs of any payload
    case 4:
      return last ^ of_any_width(random) << below(random, 64);
    case 5:
      return below(random, 8) == 0 ? random() : last;
    default:
      return random();
  }
}

uint64_t draw_integer(Random& random, uint64_t pattern, uint64_t last) {
  constexpr auto kMin = static_cast<uint64_t>(INT64_MIN);
  switch (pattern) {
    case 0:
      return last;
    case 1:
      return last + 1;
    case 2:
      return last - one_or_gap(random);  // -1 is 1 as zigzag
    case 3:
      return last + below(random, 1000);
    case 4:
      return std::array{kMin, kMin - 1, uint64_t{0}, uint64_t{1} << 59,
                        uint64_t{1} << 60}[below(random, 5)];
    case 5:
      return last + of_any_width(random);
    default:
      return random();
  }
}

void draw_values(Random& random, uint8_t type, size_t count, std::vector<uint64_t>& values) {
  const uint64_t pattern = below(random, 7);
  uint64_t last = below(random, 2) == 0 ? 0 : random();
  while (values.size() < count) {
    last = type == index::kTsmFloatType     ? draw_float(random, pattern, last)
           : type == index::kTsmBooleanType ? below(random, 2)
                                            : draw_integer(random, pattern, last);
    if (type == index::kTsmFloatType && last == index::kTsmFloatsEnd) last = 0;
    values.push_back(last);
  }
}

// Words that repeat, noise, or both.
void draw_string(Random& random, uint64_t pattern, ByteBuffer& text) {
  const uint64_t words = pattern == 0 ? 0 : below(random, uint64_t{1} << below(random, 6));
  for (uint64_t i = 0; i < words; ++i) {
    if (pattern == 1 || (pattern == 2 && below(random, 2) == 0))
      append(text, as_bytes("state " + std::to_string(below(random, 20)) + ", "));
    else
      text.push_back(static_cast<std::byte>(random()));
  }
}

void draw_strings(Random& random, size_t count, index::TsmPoints& points) {
  const uint64_t pattern = below(random, 4);
  while (points.text_ends.size() < count) {
    draw_string(random, pattern, points.text);
    points.text_ends.push_back(static_cast<uint32_t>(points.text.size()));
  }
}

}  // namespace

index::TsmPoints awkward_points(std::mt19937_64& random, uint8_t type, size_t count) {
  index::TsmPoints points;
  points.type = type;
  draw_times(random, count, points.times_ns);
  if (type == index::kTsmStringType)
    draw_strings(random, count, points);
  else
    draw_values(random, type, count, points.values);
  return points;
}

}  // namespace tsmfs::test
