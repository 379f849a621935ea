#include "snapshot/influxdb/wal_times.h"

#include <snappy.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace tsmfs::snapshot {

namespace {

constexpr size_t kEntryHeaderBytes = 5;
constexpr uint8_t kWriteEntry = 1;
constexpr uint8_t kDeleteRangeEntry = 3;  // the last type that there is

// As the types of TSM blocks, from 1 on.
enum ValueType : uint8_t { kFloat = 1, kInteger, kBoolean, kString, kUnsigned };

// Reads a write entry front to back; each read says whether there was enough of it.
class WriteEntry {
 public:
  explicit WriteEntry(ByteView bytes) : rest_(bytes) {}

  bool read(std::optional<ShardTimes>& points, index::TsmFieldTypes* fields) {
    while (!rest_.empty()) {
      uint8_t type = 0;
      uint16_t key_bytes = 0;
      uint32_t count = 0;
      if (!take(type) || !take(key_bytes) || rest_.size() < key_bytes) return false;
      const std::string_view key = as_text(rest_.first(key_bytes));
      if (!skip(key_bytes) || !take(count)) return false;
      for (uint32_t i = 0; i < count; ++i) {
        uint64_t time = 0;
        if (!take(time) || !skip_value(type)) return false;
        add(points, {static_cast<int64_t>(time)});
      }
      if (fields && count > 0) note_type(key, type, *fields);
    }
    return true;
  }

 private:
  static void add(std::optional<ShardTimes>& points, Timestamp time) {
    if (!points) points = {time, time};
    points->first = std::min(points->first, time);
    points->last = std::max(points->last, time);
  }

  // Requires: a value of the type was read.
  static void note_type(std::string_view key, uint8_t type, index::TsmFieldTypes& fields) {
    if (std::string field = index::field_of_key(key); !field.empty())
      fields[std::move(field)].insert(static_cast<uint8_t>(type - kFloat));
  }

  template <std::unsigned_integral T>
  bool take(T& value) {
    if (rest_.size() < sizeof(T)) return false;
    value = load_be<T>(rest_.data());
    return skip(sizeof(T));
  }
  bool skip(size_t bytes) {
    if (rest_.size() < bytes) return false;
    rest_ = rest_.subspan(bytes);
    return true;
  }
  bool skip_value(uint8_t type) {
    uint32_t length = 0;
    switch (type) {
      case kFloat:
      case kInteger:
      case kUnsigned:
        return skip(8);
      case kBoolean:
        return skip(1);
      case kString:
        return take(length) && skip(length);
      default:
        return false;
    }
  }

  ByteView rest_;
};

bool decompress(ByteView compressed, std::string& content) {
  const std::string_view text = as_text(compressed);
  size_t bytes = 0;
  return snappy::GetUncompressedLength(text.data(), text.size(), &bytes) &&
         bytes <= kWalEntryBytesMax && snappy::Uncompress(text.data(), text.size(), &content);
}

}  // namespace

WalTimes read_wal_times(index::ByteSource& source, index::TsmFieldTypes* fields) {
  WalTimes found;
  std::string content;
  for (uint64_t offset = 0; offset < source.size();) {
    found.whole = false;
    if (source.size() - offset < kEntryHeaderBytes) return found;
    const ByteView header = source.view(offset, kEntryHeaderBytes);
    const auto type = std::to_integer<uint8_t>(header[0]);
    const uint64_t length = load_be<uint32_t>(header.data() + 1);
    offset += kEntryHeaderBytes;
    if (type < kWriteEntry || type > kDeleteRangeEntry || length > kWalEntryBytesMax ||
        length > source.size() - offset)
      return found;
    if (type == kWriteEntry && (!decompress(source.view(offset, length), content) ||
                                !WriteEntry(as_bytes(content)).read(found.points, fields)))
      return found;
    offset += length;
    found.whole = true;
  }
  return found;
}

}  // namespace tsmfs::snapshot
