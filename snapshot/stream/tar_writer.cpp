#include "snapshot/stream/tar_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "snapshot/stream/tar_header.h"

namespace tsmfs::snapshot {

namespace {

uint64_t last_block_bytes(uint64_t size) {
  return size == 0 ? 0 : (size - 1) % kTarBlockBytes + 1;
}

}  // namespace

TarWriter::TarWriter(ByteSink& sink, TarOwner owner, std::stop_token stop)
    : sink_(sink), owner_(std::move(owner)), stop_(std::move(stop)) {}

void TarWriter::begin(const TarMemberInfo& member) {
  const ByteBuffer header = encode_tar_header(member, owner_);
  bytes_ += header.size() + member.size + tar_padding(member.size);
  append(held_, header);
  if (member.size == 0) return;  // the header is this member's last block
  sink_.write(held_);
  held_.clear();
}

void TarWriter::put(std::vector<ByteView>& pieces, uint64_t held_bytes) {
  uint64_t to_hold = held_bytes;
  size_t end = pieces.size();
  while (to_hold > 0) {
    ByteView& piece = pieces[end - 1];
    const size_t count = std::min<size_t>(piece.size(), to_hold);
    const ByteView tail = piece.last(count);
    held_.insert(held_.begin(), tail.begin(), tail.end());
    piece = piece.first(piece.size() - count);
    to_hold -= count;
    if (piece.empty()) --end;
  }
  if (held_bytes > 0) held_.resize(kTarBlockBytes);
  if (end > 0) sink_.write_pieces(std::span(pieces).first(end));
}

void TarWriter::add_file(const TarMemberInfo& member, const index::FileId& id,
                         const index::DigestKey& key, FileSequenceReader& content) {
  static_assert(FileSequenceReader::kWindowBytes % kTarBlockBytes == 0,
                "the last block is in one window");
  begin(member);
  index::DigestStream digest(key);
  std::vector<ByteView> pieces;
  uint64_t left = member.size;
  for (bool at_end = false; !at_end;) {
    if (stop_.stop_requested()) throw Cancelled();
    const auto window = content.next();
    pieces.clear();
    for (size_t i = 0; window && i < window->slices.size(); ++i) {
      const ByteView bytes = window->slices[i].bytes;
      digest.update(bytes);
      left -= std::min<uint64_t>(left, bytes.size());
      if (!bytes.empty()) pieces.push_back(bytes);
    }
    at_end = !window || window->last;
    if (at_end && (left > 0 || digest.file_id() != id))
      throw CorruptError(fmt::format("{}: what is stored has another digest than {}",
                                     quote(member.name), id.hex()),
                         "tsmfs check --read-data says what is damaged");
    put(pieces, at_end ? last_block_bytes(member.size) : 0);
  }
}

void TarWriter::add_bytes(const TarMemberInfo& member, ByteView content) {
  begin(member);
  std::vector<ByteView> pieces{content};
  if (!content.empty()) put(pieces, last_block_bytes(content.size()));
}

void TarWriter::add_directory(TarMemberInfo member) {
  member.directory = true;
  member.size = 0;
  begin(member);
}

void TarWriter::finish() {
  held_.resize(held_.size() + 2 * kTarBlockBytes);
  bytes_ += 2 * kTarBlockBytes;
  sink_.write(held_);
  held_.clear();
}

}  // namespace tsmfs::snapshot
