#include "snapshot/influxdb/tombstone_entries.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "snapshot/stream/gzip_inflater.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kHeaderBytes = 4;
constexpr uint32_t kVersion2 = 0x1502;
constexpr uint32_t kVersion3 = 0x1503;
constexpr uint32_t kVersion4 = 0x1504;
constexpr size_t kTimesBytes = 16;
constexpr size_t kKeyBytesMax = 64 << 10;  // a TSM file's keys have 16-bit lengths

[[noreturn]] void fail(const std::string& object, const std::string& why) {
  throw TombstoneError(fmt::format("{} is no sound tombstone: {}", object, why));
}

// Gzip members, one behind the other, as one content.
class GzipMembers : public ByteStream {
 public:
  GzipMembers(ByteStream& compressed, const std::string& object)
      : inflater_(compressed), object_(object) {}

  size_t read(MutableByteView out) override {
    for (;;) {
      const GzipInflater::Piece piece = inflater_.next(out);
      if (piece.stop == GzipInflater::Stop::kDamaged)
        fail(object_, "its compressed data are damaged");
      if (piece.bytes > 0) return piece.bytes;
      if (piece.stop != GzipInflater::Stop::kInputEnd) continue;  // a member without content
      if (inflater_.within_member()) fail(object_, "it ends early");
      return 0;
    }
  }

 private:
  GzipInflater inflater_;
  const std::string& object_;
};

// The bytes of `head`, then those of the stream.
class Joined : public ByteStream {
 public:
  Joined(ByteView head, ByteStream& rest) : head_(head), rest_(rest) {}
  size_t read(MutableByteView out) override {
    if (head_.empty()) return rest_.read(out);
    const size_t count = std::min(out.size(), head_.size());
    std::copy_n(head_.begin(), count, out.begin());
    head_ = head_.subspan(count);
    return count;
  }

 private:
  ByteView head_;
  ByteStream& rest_;
};

// Each read ends with the content, with the limit, or when the visitor has enough.
class Entries {
 public:
  Entries(const std::string& object, uint64_t content_bytes_max, const TombstoneVisitor& visit)
      : object_(object), content_bytes_max_(content_bytes_max), visit_(visit) {}

  // Lines of text, the last one with or without a newline.
  void read_lines(ByteStream& stream) {
    std::string line;
    std::array<std::byte, 4096> buffer;
    while (!done()) {
      const size_t count = stream.read(buffer);
      if (count == 0) break;
      taken_ += count;
      for (const char c : as_text(ByteView(buffer).first(count))) {
        if (c == '\n') {
          add_line(line);
          line.clear();
        } else if (line.size() < kKeyBytesMax) {
          line += c;
        } else {
          fail(object_, "a line of it is too long");
        }
      }
    }
    add_line(line);
  }

  void read_records(ByteStream& stream) {
    std::array<std::byte, 4> length_bytes;
    ByteBuffer record;
    while (!done()) {
      const size_t head = read_up_to(stream, length_bytes);
      if (head == 0) return;
      const uint32_t length = load_be<uint32_t>(length_bytes.data());
      if (head < length_bytes.size()) fail(object_, "it ends early");
      if (length == 0 || length > kKeyBytesMax)
        fail(object_, fmt::format("it has a key of {} bytes", length));
      record.resize(length + kTimesBytes);
      if (read_up_to(stream, record) < record.size()) fail(object_, "it ends early");
      taken_ += head + record.size();
      add({as_text(ByteView(record).first(length)),
           static_cast<int64_t>(load_be<uint64_t>(record.data() + length)),
           static_cast<int64_t>(load_be<uint64_t>(record.data() + length + 8))});
    }
  }

  TombstoneReading finish(unsigned version) const { return {version, whole_}; }

 private:
  // As Go's scanner of lines does, which influxd reads them with.
  void add_line(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) add({line, INT64_MIN, INT64_MAX});
  }
  void add(const TombstoneEntry& entry) {
    if (whole_ && !visit_(entry)) whole_ = false;
  }
  bool done() {
    if (taken_ >= content_bytes_max_) whole_ = false;
    return !whole_;
  }

  const std::string& object_;
  const uint64_t content_bytes_max_;
  const TombstoneVisitor& visit_;
  uint64_t taken_ = 0;
  bool whole_ = true;
};

}  // namespace

TombstoneReading read_tombstone_entries(ByteStream& file, const std::string& object,
                                        uint64_t content_bytes_max, const TombstoneVisitor& visit) {
  std::array<std::byte, kHeaderBytes> header;
  const size_t count = read_up_to(file, header);
  Entries entries(object, content_bytes_max, visit);
  const uint32_t magic = count < kHeaderBytes ? 0 : load_be<uint32_t>(header.data());
  if (count == 0) return entries.finish(0);
  if (magic == kVersion2) {
    entries.read_records(file);
    return entries.finish(2);
  }
  if (magic == kVersion3 || magic == kVersion4) {
    GzipMembers content(file, object);
    entries.read_records(content);
    return entries.finish(magic == kVersion3 ? 3 : 4);
  }
  // Text has no control characters, and other versions begin with zeros.
  if (header[0] == std::byte{0}) fail(object, "it is of a version that tsmfs does not know");
  Joined whole(ByteView(header).first(count), file);
  entries.read_lines(whole);
  return entries.finish(1);
}

}  // namespace tsmfs::snapshot
