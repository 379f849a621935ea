#include "tests/support/point_tsm.h"

#include <algorithm>

#include "index/tsm/tsm_layout.h"

namespace tsmfs::test {

namespace {

template <typename T>
void put_be(ByteBuffer& to, T value) {
  std::byte bytes[sizeof value];
  store_be(bytes, value);
  append(to, bytes);
}

// A block of floats: raw times, and as values a byte for each point.
ByteBuffer make_block(const int64_t* times, size_t count, uint8_t salt) {
  ByteBuffer raw_times = {std::byte{0}};
  int64_t last = 0;
  for (size_t i = 0; i < count; ++i) {
    put_be(raw_times, static_cast<uint64_t>(times[i] - last));
    last = times[i];
  }
  ByteBuffer data = {std::byte{0}};
  ByteWriter(data).sized(raw_times);
  for (size_t i = 0; i < count; ++i) data.push_back(static_cast<std::byte>(i + salt));
  ByteBuffer block;
  put_be(block, index::update_tsm_crc(0, data));
  append(block, data);
  return block;
}

}  // namespace

ByteBuffer make_point_tsm(const KeyTimes& keys, size_t points_per_block, uint8_t salt,
                          uint8_t type) {
  ByteBuffer out, index;
  put_be(out, uint32_t{0x16D116D1});
  out.push_back(std::byte{1});
  for (const auto& [key, times] : keys) {
    const size_t blocks = (times.size() + points_per_block - 1) / points_per_block;
    put_be(index, static_cast<uint16_t>(key.size()));
    append(index, as_bytes(key));
    index.push_back(std::byte{type});
    put_be(index, static_cast<uint16_t>(blocks));
    for (size_t begin = 0; begin < times.size(); begin += points_per_block) {
      const size_t count = std::min(points_per_block, times.size() - begin);
      const ByteBuffer block = make_block(times.data() + begin, count, salt);
      put_be(index, static_cast<uint64_t>(times[begin]));
      put_be(index, static_cast<uint64_t>(times[begin + count - 1]));
      put_be(index, static_cast<uint64_t>(out.size()));
      put_be(index, static_cast<uint32_t>(block.size()));
      append(out, block);
    }
  }
  const uint64_t index_offset = out.size();
  append(out, index);
  put_be(out, index_offset);
  return out;
}

std::vector<int64_t> times(int64_t begin, int64_t end, int64_t step) {
  std::vector<int64_t> out;
  for (int64_t time = begin; time < end; time += step) out.push_back(time);
  return out;
}

}  // namespace tsmfs::test
