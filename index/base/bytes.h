// Byte views, and codecs for the integers of our formats (little-endian, LEB128) and InfluxDB's
// (big-endian).
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tsmfs {

using ByteView = std::span<const std::byte>;
using MutableByteView = std::span<std::byte>;
using ByteBuffer = std::vector<std::byte>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline void append(ByteBuffer& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// Integers at a place in memory. Requires: sizeof(T) bytes at `from` or `to`.
template <std::unsigned_integral T>
T load_le(const std::byte* from) {
  static_assert(std::endian::native == std::endian::little,
                "tsmfs has been built for little-endian machines only");
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <std::unsigned_integral T>
void store_le(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof value);
}
template <std::unsigned_integral T>
T swap_bytes(T value) {
  static_assert(sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8);
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
  return value;
}
template <std::unsigned_integral T>
T load_be(const std::byte* from) {
  return swap_bytes(load_le<T>(from));
}
template <std::unsigned_integral T>
void store_be(std::byte* to, T value) {
  store_le(to, swap_bytes(value));
}

// Signed integers as unsigned ones that stay small for small magnitudes (protobuf's zigzag).
inline uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
inline int64_t unzigzag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// Appends to a buffer.
class ByteWriter {
 public:
  explicit ByteWriter(ByteBuffer& out) : out_(out) {}
  void u8(uint8_t value) { out_.push_back(static_cast<std::byte>(value)); }
  template <std::unsigned_integral T>
  void le(T value) {
    std::byte bytes[sizeof(T)];
    store_le(bytes, value);
    append(out_, bytes);
  }
  void varint(uint64_t value);
  void svarint(int64_t value) { varint(zigzag(value)); }
  void raw(ByteView bytes) { append(out_, bytes); }
  // A varint length, then the bytes.
  void sized(ByteView bytes) {
    varint(bytes.size());
    raw(bytes);
  }

 private:
  ByteBuffer& out_;
};

// Reads untrusted bytes front to back. Throws: CorruptError, naming `object`, when they run out or
// a value is malformed or over its bound. Does not own the bytes.
class ByteReader {
 public:
  ByteReader(ByteView bytes, std::string_view object) : bytes_(bytes), object_(object) {}
  uint8_t u8() { return std::to_integer<uint8_t>(raw(1)[0]); }
  template <std::unsigned_integral T>
  T le() {
    return load_le<T>(raw(sizeof(T)).data());
  }
  // Throws: CorruptError when the value is over `max`, over 64 bits, or not in its shortest form.
  uint64_t varint(uint64_t max = UINT64_MAX);
  int64_t svarint() { return unzigzag(varint()); }
  ByteView raw(uint64_t length);
  ByteView sized(uint64_t length_max) { return raw(varint(length_max)); }
  // A count of things that take at least `item_bytes_min` each, so that a count cannot claim more
  // than is there.
  uint64_t count(size_t item_bytes_min, uint64_t max = UINT64_MAX);
  size_t remaining() const { return bytes_.size() - position_; }
  bool at_end() const { return remaining() == 0; }
  // Throws: CorruptError when bytes are left over.
  void expect_end() const;
  [[noreturn]] void fail(const std::string& why) const;

 private:
  ByteView bytes_;
  std::string_view object_;
  size_t position_ = 0;
};

// Lower-case hexadecimal.
std::string to_hex(ByteView bytes);
// Throws: CorruptError when `hex` is not exactly out.size() bytes of lower-case hexadecimal.
void from_hex(std::string_view hex, MutableByteView out);

// Heap memory that is not zeroed first, for buffers that are filled at once.
class RawBuffer {
 public:
  RawBuffer() = default;
  explicit RawBuffer(size_t size)
      : data_(std::make_unique_for_overwrite<std::byte[]>(size)), size_(size), capacity_(size) {}
  // What is moved from is as a new one: it holds nothing.
  RawBuffer(RawBuffer&& other) noexcept
      : data_(std::move(other.data_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  RawBuffer& operator=(RawBuffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }
  std::byte* data() { return data_.get(); }
  size_t size() const { return size_; }
  MutableByteView span() { return {data_.get(), size_}; }
  ByteView view() const { return {data_.get(), size_}; }
  size_t capacity() const { return capacity_; }
  // Requires: size <= capacity().
  void resize(size_t size) { size_ = size; }

 private:
  std::unique_ptr<std::byte[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace tsmfs
