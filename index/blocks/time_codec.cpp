#include "index/blocks/time_codec.h"

#include <algorithm>

#include "index/blocks/simple8b.h"
#include "index/blocks/tsm_timestamps.h"

namespace tsmfs::index {

namespace {

void fill_run(const TsmTimesParts& parts, std::span<int64_t> times) {
  uint64_t time = parts.first_ns;
  const uint64_t step = parts.delta * parts.divisor;
  for (int64_t& place : times) {
    place = static_cast<int64_t>(time);
    time += step;
  }
}

// Adds up deltas, which lie in `times` from its second on.
void sum_up(uint64_t divisor, std::span<int64_t> times) {
  auto time = static_cast<uint64_t>(times[0]);
  for (int64_t& place : times.subspan(1)) {
    time += static_cast<uint64_t>(place) * divisor;
    place = static_cast<int64_t>(time);
  }
}

// Units in which a block's deltas can be written: the largest power of ten that divides all.
struct TimeUnit {
  uint64_t divisor = 1'000'000'000'000;
  unsigned exponent = kTsmTimesExponentMax;

  void fit(uint64_t delta) {
    for (; exponent > 0 && delta % divisor != 0; --exponent) divisor /= 10;
  }
};

std::byte head_of(TsmTimesEncoding encoding, unsigned exponent) {
  return static_cast<std::byte>(static_cast<unsigned>(encoding) << 4 | exponent);
}

std::byte* put_run(uint64_t first, uint64_t delta, size_t points, std::byte* to) {
  TimeUnit unit;
  unit.fit(delta);
  *to++ = head_of(TsmTimesEncoding::kRunLength, unit.exponent);
  to = put_tsm_word(to, first);
  to = put_tsm_uvarint(to, delta / unit.divisor);
  return put_tsm_uvarint(to, points);
}

std::byte* put_raw(uint64_t first, std::span<const uint64_t> deltas, std::byte* to) {
  *to++ = head_of(TsmTimesEncoding::kRaw, 0);
  to = put_tsm_word(to, first);
  for (const uint64_t delta : deltas) to = put_tsm_word(to, delta);
  return to;
}

// Neighbours are often equal, and divisions slow.
TimeUnit unit_of(std::span<const uint64_t> deltas) {
  TimeUnit unit;
  uint64_t last = 0;
  for (const uint64_t delta : deltas) {
    if (unit.exponent == 0) break;
    if (delta == last) continue;
    unit.fit(delta);
    last = delta;
  }
  return unit;
}

void divide(uint64_t divisor, std::span<uint64_t> deltas) {
  uint64_t last = 0, quotient = 0;
  for (uint64_t& delta : deltas) {
    if (delta != last) {
      last = delta;
      quotient = delta / divisor;
    }
    delta = quotient;
  }
}

std::byte* put_packed(uint64_t first, std::span<uint64_t> deltas, TsmDialect dialect,
                      std::byte* to) {
  const TimeUnit unit = unit_of(deltas);
  if (unit.exponent > 0) divide(unit.divisor, deltas);
  *to++ = head_of(TsmTimesEncoding::kSimple8b, unit.exponent);
  to = put_tsm_word(to, first);
  return pack_simple8b(
      deltas, dialect == TsmDialect::kStream ? RunsOfOnes::kInWindow : RunsOfOnes::kAnywhere, to);
}

}  // namespace

void decode_tsm_times(ByteView times, std::vector<int64_t>& out) {
  const TsmTimesParts parts = split_tsm_times(times);
  out.resize(parts.points);
  if (parts.encoding == TsmTimesEncoding::kRunLength) return fill_run(parts, out);
  if (out.empty()) return;
  out[0] = static_cast<int64_t>(parts.first_ns);
  // Deltas and times have the same places: an unsigned integer may be looked at as a signed one.
  auto* const deltas = reinterpret_cast<uint64_t*>(out.data()) + 1;
  if (parts.encoding == TsmTimesEncoding::kSimple8b) {
    unpack_simple8b(parts.words, deltas);
    return sum_up(parts.divisor, out);
  }
  for (size_t i = 0; i + 1 < out.size(); ++i)
    deltas[i] = load_be<uint64_t>(parts.words.data() + 8 * i);
  sum_up(1, out);
}

std::byte* encode_tsm_times(std::span<const int64_t> times_ns, TsmDialect dialect,
                            std::vector<uint64_t>& deltas, std::byte* to) {
  const auto first = static_cast<uint64_t>(times_ns[0]);
  deltas.resize(times_ns.size() - 1);
  uint64_t all_bits = 0, unequal_bits = 0;
  for (size_t i = 0; i < deltas.size(); ++i) {
    deltas[i] = static_cast<uint64_t>(times_ns[i + 1]) - static_cast<uint64_t>(times_ns[i]);
    all_bits |= deltas[i];
    unequal_bits |= deltas[i] ^ deltas[0];
  }
  if (unequal_bits == 0 && !deltas.empty()) return put_run(first, deltas[0], times_ns.size(), to);
  if (all_bits > kSimple8bValueMax) return put_raw(first, deltas, to);
  return put_packed(first, deltas, dialect, to);
}

}  // namespace tsmfs::index
