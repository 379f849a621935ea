#include "snapshot/influxdb/wal_entries.h"

#include <snappy.h>

#include <algorithm>
#include <concepts>
#include <string>
#include <vector>

namespace tsmfs::snapshot {

namespace {

constexpr size_t kEntryHeaderBytes = 5;

enum EntryType : uint8_t { kWrite = 1, kDelete, kDeleteRange };

// As the types of TSM blocks, from 1 on.
enum ValueType : uint8_t { kFloat = 1, kInteger, kBoolean, kString, kUnsigned };

// Reads an entry front to back; each read says whether there was enough of it. Without a visitor
// it only looks whether the whole of it can be read.
class Entry {
 public:
  Entry(ByteView bytes, std::vector<int64_t>& times, WalVisitor* visitor)
      : rest_(bytes), times_(times), visitor_(visitor) {}

  bool read(uint8_t type) {
    switch (type) {
      case kWrite:
        return read_write();
      case kDelete:
        return read_delete();
      case kDeleteRange:
        return read_delete_range();
      default:
        return false;
    }
  }

 private:
  bool read_write() {
    while (!rest_.empty()) {
      uint8_t type = 0;
      uint16_t key_bytes = 0;
      uint32_t count = 0;
      if (!take(type) || !take(key_bytes) || rest_.size() < key_bytes) return false;
      const std::string_view key = as_text(rest_.first(key_bytes));
      if (!skip(key_bytes) || !take(count) || count == 0) return false;
      times_.clear();
      for (uint32_t i = 0; i < count; ++i) {
        uint64_t time = 0;
        if (!take(time) || !skip_value(type)) return false;
        if (visitor_) times_.push_back(static_cast<int64_t>(time));
      }
      if (visitor_) visitor_->write(key, static_cast<uint8_t>(type - kFloat), times_);
    }
    return true;
  }

  bool read_delete() {
    std::string_view keys = as_text(rest_);
    while (visitor_ && !keys.empty()) {
      const size_t end = std::min(keys.find('\n'), keys.size());
      visitor_->remove(keys.substr(0, end), INT64_MIN, INT64_MAX);
      keys.remove_prefix(std::min(end + 1, keys.size()));
    }
    return true;
  }

  bool read_delete_range() {
    uint64_t first = 0, last = 0;
    if (!take(first) || !take(last)) return false;
    while (!rest_.empty()) {
      uint32_t key_bytes = 0;
      if (!take(key_bytes) || rest_.size() < key_bytes) return false;
      const std::string_view key = as_text(rest_.first(key_bytes));
      if (visitor_) visitor_->remove(key, static_cast<int64_t>(first), static_cast<int64_t>(last));
      skip(key_bytes);
    }
    return true;
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
  std::vector<int64_t>& times_;
  WalVisitor* visitor_;
};

bool decompress(ByteView compressed, std::string& content) {
  const std::string_view text = as_text(compressed);
  size_t bytes = 0;
  return snappy::GetUncompressedLength(text.data(), text.size(), &bytes) &&
         bytes <= kWalEntryBytesMax && snappy::IsValidCompressedBuffer(text.data(), text.size()) &&
         snappy::Uncompress(text.data(), text.size(), &content);
}

}  // namespace

uint64_t read_wal_entries(index::ByteSource& source, WalVisitor& visitor) {
  std::string content;
  std::vector<int64_t> times;
  uint64_t offset = 0;
  while (source.size() - offset >= kEntryHeaderBytes) {
    const ByteView header = source.view(offset, kEntryHeaderBytes);
    const auto type = std::to_integer<uint8_t>(header[0]);
    const uint64_t length = load_be<uint32_t>(header.data() + 1);
    const uint64_t begin = offset + kEntryHeaderBytes;
    if (length > kWalEntryBytesMax || length > source.size() - begin) break;
    if (!decompress(source.view(begin, length), content)) break;
    if (!Entry(as_bytes(content), times, nullptr).read(type)) break;
    Entry(as_bytes(content), times, &visitor).read(type);
    offset = begin + length;
  }
  return offset;
}

}  // namespace tsmfs::snapshot
