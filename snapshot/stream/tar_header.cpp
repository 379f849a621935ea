#include "snapshot/stream/tar_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "index/base/name.h"
#include "index/base/parse_number.h"
#include "index/base/quote.h"
#include "snapshot/stream/tar_fields.h"

namespace tsmfs::snapshot {

namespace {

std::string_view field_text(const TarBlock& block, const tar_field::Field& field) {
  return as_text(ByteView(block).subspan(field.offset, field.length));
}

// Text up to the first NUL. Throws when anything hides behind it.
std::string field_string(const TarBlock& block, const tar_field::Field& field) {
  const std::string_view whole = field_text(block, field);
  const std::string_view text = whole.substr(0, whole.find('\0'));
  if (whole.find_first_not_of('\0', text.size()) != std::string_view::npos)
    throw TarFormError(fmt::format("the {} field goes on behind its end", field.name));
  return std::string(text);
}

bool is_octal_digit(char c) {
  return c >= '0' && c <= '7';
}

// GNU's form for numbers that octal digits cannot hold: the high bit, then a big-endian two's
// complement.
int64_t parse_base256(std::string_view text, const tar_field::Field& field) {
  const auto first = static_cast<unsigned char>(text[0]);
  const bool negative = (first & 0x40) != 0;
  auto value = static_cast<uint64_t>(negative ? -1 : 0);
  const auto push = [&](unsigned char byte) {
    // What is shifted out must be sign only, and so must the bit that becomes the sign.
    const auto high = static_cast<int64_t>(value) >> (63 - 8);
    if (high != (negative ? -1 : 0))
      throw TarFormError(fmt::format("the {} field is out of range", field.name));
    value = value << 8 | byte;
  };
  push(static_cast<unsigned char>(negative ? (first | 0x80) : (first & 0x7f)));
  for (const char c : text.substr(1)) push(static_cast<unsigned char>(c));
  return static_cast<int64_t>(value);
}

// Spaces, octal digits, then only NULs and spaces. At most 12 digits, which cannot overflow.
std::optional<int64_t> parse_octal(std::string_view text, const tar_field::Field& field) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const size_t digits = static_cast<size_t>(
      std::find_if_not(text.begin(), text.end(), is_octal_digit) - text.begin());
  if (text.find_first_not_of(std::string_view("\0 ", 2), digits) != std::string_view::npos)
    throw TarFormError(fmt::format("the {} field is not a number: {}", field.name, quote(text)));
  if (digits == 0) return std::nullopt;
  int64_t value = 0;
  for (const char c : text.substr(0, digits)) value = value * 8 + (c - '0');
  return value;
}

std::optional<int64_t> field_number(const TarBlock& block, const tar_field::Field& field) {
  const std::string_view text = field_text(block, field);
  if ((static_cast<unsigned char>(text[0]) & 0x80) != 0) return parse_base256(text, field);
  return parse_octal(text, field);
}

int64_t require_number(const TarBlock& block, const tar_field::Field& field) {
  const std::optional<int64_t> value = field_number(block, field);
  if (!value) throw TarFormError(fmt::format("the {} field is empty", field.name));
  return *value;
}

// Only the form that every tar program writes, so that a flipped bit in it is seen like any other.
void check_checksum(const TarBlock& block) {
  const std::string_view text = field_text(block, tar_field::kChecksum);
  const std::string expected = tar_checksum(block);
  if (text != expected)
    throw TarFormError(
        fmt::format("its checksum is wrong: {} instead of {}", quote(text), quote(expected)));
}

// Numbers that nobody needs still have to be numbers: in a damaged or foreign block they are not.
void check_unused_numbers(const TarBlock& block) {
  for (const tar_field::Field& field :
       {tar_field::kUid, tar_field::kGid, tar_field::kMajor, tar_field::kMinor})
    field_number(block, field);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// Decimal digits only. Nothing when there are others, or when the value is too large for T.
template <typename T>
std::optional<T> parse_decimal(std::string_view text) {
  if (!all_digits(text)) return std::nullopt;
  return parse_number<T>(text);
}

// "[-]seconds[.fraction]"; digits past the ninth do not count.
Timestamp parse_pax_time(std::string_view text) {
  const auto malformed = [&] { return TarFormError("a PAX header gives the time " + quote(text)); };
  const bool negative = text.starts_with('-');
  const std::string_view number = text.substr(negative ? 1 : 0);
  const size_t point = number.find('.');
  const auto seconds = parse_decimal<int64_t>(number.substr(0, point));
  if (!seconds) throw malformed();
  int64_t nanoseconds = 0;
  if (point != std::string_view::npos) {
    const std::string_view fraction = number.substr(point + 1);
    if (!all_digits(fraction)) throw malformed();
    for (size_t i = 0; i < 9; ++i)
      nanoseconds = nanoseconds * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  }
  const int64_t whole = tar_time(*seconds).unix_ns;
  return {negative ? -whole - nanoseconds : whole + nanoseconds};
}

void take_record(std::string_view key, std::string_view value, PaxRecords& records) {
  if (key.starts_with("GNU.sparse")) throw TarFormError("it is a sparse file");
  const bool again = (key == "path" && records.path) || (key == "size" && records.size) ||
                     (key == "mtime" && records.mtime);
  if (again) throw TarFormError(fmt::format("a PAX header gives its {} twice", key));
  if (key == "path") {
    if (value.size() > kTarNameBytesMax)
      throw TarFormError("a PAX header gives a name that is too long");
    records.path = std::string(value);
  } else if (key == "size") {
    records.size = parse_decimal<uint64_t>(value);
    if (!records.size) throw TarFormError("a PAX header gives the size " + quote(value));
  } else if (key == "mtime") {
    records.mtime = parse_pax_time(value);
  }
}

}  // namespace

bool is_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](std::byte byte) { return byte == std::byte{0}; });
}

std::string tar_checksum(const TarBlock& block) {
  uint32_t sum = tar_field::kChecksum.length * ' ';
  for (size_t i = 0; i < block.size(); ++i) {
    const bool inside = i >= tar_field::kChecksum.offset &&
                        i < tar_field::kChecksum.offset + tar_field::kChecksum.length;
    if (!inside) sum += std::to_integer<uint32_t>(block[i]);
  }
  return fmt::format("{:06o}", sum) + std::string("\0 ", 2);
}

TarHeader parse_tar_header(const TarBlock& block) {
  check_checksum(block);
  const std::string_view magic = field_text(block, tar_field::kMagic);
  if (magic != tar_field::kPosixMagic && magic != tar_field::kGnuMagic)
    throw TarFormError("it has no ustar magic");
  check_unused_numbers(block);
  TarHeader header;
  header.type = field_text(block, tar_field::kType)[0];
  if (header.type == '\0') header.type = '0';
  header.name = field_string(block, tar_field::kName);
  // In GNU's form other things stand where ustar has the prefix.
  if (magic == tar_field::kPosixMagic) {
    const std::string prefix = field_string(block, tar_field::kPrefix);
    if (!prefix.empty()) header.name = prefix + "/" + header.name;
  }
  const int64_t size = require_number(block, tar_field::kSize);
  if (size < 0) throw TarFormError("its size is negative");
  header.size = static_cast<uint64_t>(size);
  header.mtime_s = require_number(block, tar_field::kMtime);
  header.mode = static_cast<uint32_t>(require_number(block, tar_field::kMode) & 07777);
  return header;
}

PaxRecords parse_pax_records(ByteView content) {
  // Longer than the content can never be right, so that seven digits are enough.
  constexpr size_t kLengthDigitsMax = 7;
  PaxRecords records;
  std::string_view rest = as_text(content);
  while (!rest.empty()) {
    const size_t space = rest.substr(0, kLengthDigitsMax + 1).find(' ');
    const auto length = parse_decimal<size_t>(rest.substr(0, std::min(space, rest.size())));
    if (space == std::string_view::npos || !length || rest.front() == '0')
      throw TarFormError("a PAX record has no proper length");
    if (*length > rest.size() || *length < space + 2 || rest[*length - 1] != '\n')
      throw TarFormError("a PAX record is not as long as it says");
    const std::string_view record = rest.substr(space + 1, *length - space - 2);
    const size_t equals = record.find('=');
    if (equals == 0 || equals == std::string_view::npos)
      throw TarFormError("a PAX record has no key");
    if (record.substr(0, equals).find_first_of(std::string_view("\0\n", 2)) !=
        std::string_view::npos)
      throw TarFormError("a PAX record has an unprintable key");
    take_record(record.substr(0, equals), record.substr(equals + 1), records);
    rest.remove_prefix(*length);
  }
  return records;
}

std::string parse_long_name(ByteView content) {
  const std::string_view text = as_text(content);
  const size_t end = text.find('\0');
  if (end == std::string_view::npos || end + 1 != text.size())
    throw TarFormError("a GNU long name does not end with its only NUL");
  return std::string(text.substr(0, end));
}

Timestamp tar_time(int64_t seconds) {
  constexpr int64_t kSecondsMax = std::numeric_limits<int64_t>::max() / kNanosecondsPerSecond - 1;
  if (seconds > kSecondsMax || seconds < -kSecondsMax)
    throw TarFormError("its mtime is out of range");
  return {seconds * kNanosecondsPerSecond};
}

void check_member_name(std::string_view name) {
  if (name.size() > kTarNameBytesMax) throw TarFormError("its name is too long");
  for (std::string_view rest = name;;) {
    const size_t slash = rest.find('/');
    if (!is_valid_name(rest.substr(0, slash)))
      throw TarFormError("its name is not a plain relative path");
    if (slash == std::string_view::npos) return;
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace tsmfs::snapshot
