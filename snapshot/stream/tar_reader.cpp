#include "snapshot/stream/tar_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "index/base/error.h"
#include "index/base/name.h"
#include "index/base/quote.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kSkipBytes = 64 << 10;

}  // namespace

struct TarReader::Pending {
  std::optional<PaxRecords> pax;
  std::optional<std::string> long_name;
  bool any() const { return pax || long_name; }
};

TarReader::TarReader(ByteStream& stream, std::string label, TarOptions options)
    : stream_(stream), label_(std::move(label)), options_(options) {}

std::optional<TarMember> TarReader::next() {
  if (ended_) return std::nullopt;
  skip_rest();
  member_name_.clear();
  Pending pending;
  TarBlock block;
  for (;;) {
    header_position_ = position_;
    if (!read_block(block)) fail("the tar ends without its trailer");
    if (is_zero(block)) {
      if (pending.any()) fail("the trailer follows a header that announces a member");
      read_trailer();
      return std::nullopt;
    }
    if (++headers_ > options_.headers_max)
      fail(fmt::format("it has more than {} members and headers, as no shard has",
                       options_.headers_max));
    try {
      const TarHeader header = parse_tar_header(block);
      member_name_ = header.name;
      if (header.type != 'x' && header.type != 'g' && header.type != 'L')
        return start_member(header, pending);
      take_extension(header, pending);
    } catch (const TarFormError& error) {
      fail(error.what());
    }
  }
}

TarMember TarReader::start_member(const TarHeader& header, const Pending& pending) {
  TarMember member = make_member(header, pending);
  data_left_ = member.size;
  padding_left_ = tar_padding(member.size);
  return member;
}

TarMember TarReader::make_member(const TarHeader& header, const Pending& pending) {
  TarMember member;
  if (header.type == '5') {
    member.kind = TarMember::Kind::kDirectory;
  } else if (header.type != '0') {
    throw TarFormError(fmt::format("it is of the kind {}, neither a file nor a directory",
                                   quote(std::string_view(&header.type, 1))));
  }
  const PaxRecords pax = pending.pax.value_or(PaxRecords{});
  if (pending.long_name && pax.path) throw TarFormError("it is named by a PAX and by a GNU header");
  member.name = pending.long_name ? *pending.long_name : pax.path.value_or(header.name);
  member_name_ = member.name;
  member.name = with_slashes(std::move(member.name));
  if (member.kind == TarMember::Kind::kDirectory && member.name.ends_with('/'))
    member.name.pop_back();
  check_member_name(member.name);
  member.size = pax.size.value_or(header.size);
  if (member.size > options_.member_bytes_max)
    throw TarFormError(fmt::format("its {} bytes are more than the {} allowed", member.size,
                                   options_.member_bytes_max));
  if (member.kind == TarMember::Kind::kDirectory && member.size != 0)
    throw TarFormError("it is a directory with data");
  member.mtime = pax.mtime ? *pax.mtime : tar_time(header.mtime_s);
  member.mode = header.mode;
  return member;
}

void TarReader::take_extension(const TarHeader& header, Pending& pending) {
  if (header.type == 'g') {
    if (pending.any())
      throw TarFormError("a global PAX header stands between a member and its own header");
    const PaxRecords records = parse_pax_records(read_extension(header, kPaxBytesMax));
    if (records.path || records.size || records.mtime)
      throw TarFormError("a global PAX header names, sizes or dates all members");
    return;
  }
  if (header.type == 'x') {
    if (pending.pax) throw TarFormError("a member has two PAX headers");
    pending.pax = parse_pax_records(read_extension(header, kPaxBytesMax));
    return;
  }
  if (pending.long_name) throw TarFormError("a member has two GNU long names");
  pending.long_name = parse_long_name(read_extension(header, kTarNameBytesMax));
}

ByteBuffer TarReader::read_extension(const TarHeader& header, uint64_t bytes_max) {
  if (header.size > bytes_max)
    throw TarFormError(
        fmt::format("a header of the kind '{}' has {} bytes, more than the {} allowed", header.type,
                    header.size, bytes_max));
  ByteBuffer content(header.size);
  read_exactly(content, "an extended header");
  padding_left_ = tar_padding(header.size);
  skip_rest();
  return content;
}

bool TarReader::read_block(TarBlock& block) {
  const size_t count = stream_.read(block);
  position_ += count;
  if (count == 0) return false;
  read_exactly(MutableByteView(block).subspan(count), "a header block");
  return true;
}

void TarReader::read_trailer() {
  TarBlock block;
  if (!read_block(block))
    fail("the tar ends in the middle of its trailer: one zero block instead of two");
  if (!is_zero(block))
    fail("a lone zero block stands where a member's header or the trailer should be");
  const uint64_t behind = position_;
  const size_t count = stream_.read(block);
  position_ += count;
  if (count > 0) fail(fmt::format("bytes follow the trailer, at byte {}", behind));
  ended_ = true;
}

size_t TarReader::read_data(MutableByteView out) {
  if (data_left_ == 0) return 0;
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(out.size(), data_left_));
  const size_t count = stream_.read(out.first(wanted));
  if (count == 0) fail(fmt::format("the tar ends {} bytes before this member does", data_left_));
  position_ += count;
  data_left_ -= count;
  return count;
}

void TarReader::skip_rest() {
  if (data_left_ > 0) {
    RawBuffer scratch(kSkipBytes);
    while (read_data(scratch.span()) > 0) {
    }
  }
  if (padding_left_ == 0) return;
  std::array<std::byte, kTarBlockBytes> padding;
  const MutableByteView expected = MutableByteView(padding).first(std::exchange(padding_left_, 0));
  read_exactly(expected, "the padding behind a member");
  if (!is_zero(expected)) fail("the padding behind this member is not zero");
}

void TarReader::read_exactly(MutableByteView out, const char* what) {
  while (!out.empty()) {
    const size_t count = stream_.read(out);
    if (count == 0) fail(fmt::format("the tar ends in {}", what));
    position_ += count;
    out = out.subspan(count);
  }
}

void TarReader::fail(const std::string& why) const {
  const std::string member =
      member_name_.empty() ? std::string() : fmt::format(", member {}", quote(member_name_));
  throw ProtocolError(fmt::format("{}{}, header at byte {}, read to byte {}: {}", label_, member,
                                  header_position_, position_, why));
}

}  // namespace tsmfs::snapshot
