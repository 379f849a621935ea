// The parts of a TSM block, and how its bytes are taken apart.
//
// Format: InfluxDB 1.x, tsdb/engine/tsm1/encoding.go: CRC-32/IEEE of the rest (4, big-endian), type
// of the values (1), length of the encoded times (uvarint), times, values.
#pragma once

#include <cstdint>
#include <string>

#include "index/base/bytes.h"

namespace tsmfs::index {

constexpr uint64_t kTsmCrcBytes = 4;
// Of blocks; 1.4 and later have unsigned integers.
enum TsmType : uint8_t {
  kTsmFloatType,
  kTsmIntegerType,
  kTsmBooleanType,
  kTsmStringType,
  kTsmUnsignedType
};
// InfluxDB writes at most 10 000. A few bytes can claim as many, and each costs time.
constexpr size_t kTsmPointsPerBlockMax = 1 << 16;

// What is wrong with a TSM file, or a block of one, in words. Never leaves index/: callers turn it
// into an answer.
struct TsmFormatError {
  std::string what;
};

// CRC-32/IEEE of data that comes piece by piece; begins with 0.
uint32_t update_tsm_crc(uint32_t crc, ByteView data);

// True when the block's CRC is that of its data. Requires: block.size() >= kTsmCrcBytes.
bool is_sound_tsm_block(ByteView block);

struct TsmBlockParts {
  uint8_t type = kTsmFloatType;
  ByteView times;
  ByteView values;
};

// The block's parts, without a look at its CRC. Of a block that is cut off, what is left of the
// values. Throws: TsmFormatError when its times are not all there.
TsmBlockParts split_tsm_block(ByteView block);

// Takes the first bytes off `bytes`. Throw: TsmFormatError when there are not so many.
ByteView take_tsm_bytes(ByteView& bytes, uint64_t length);
uint64_t take_tsm_word(ByteView& bytes);  // big-endian, 8 bytes
// Go's uvarint, not necessarily in its shortest form.
uint64_t take_tsm_uvarint(ByteView& bytes);

// Encoded integers, each put at `to`; return what is behind it. Requires: room for 8, or for
// kTsmUvarintBytesMax bytes.
constexpr size_t kTsmUvarintBytesMax = 10;
std::byte* put_tsm_word(std::byte* to, uint64_t value);
std::byte* put_tsm_uvarint(std::byte* to, uint64_t value);

}  // namespace tsmfs::index
