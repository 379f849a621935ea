#include "index/codec/mixed_frame.h"

#include <algorithm>
#include <array>

#include "index/base/error.h"
#include "index/codec/section.h"

namespace tsmfs::index {

namespace {

constexpr std::array kKinds = {PieceKind::kPlain, PieceKind::kIndex, PieceKind::kBlocks};
constexpr unsigned kKindBits = 2;
constexpr uint64_t kKindMask = (1 << kKindBits) - 1;

std::vector<FramePiece> decode_pieces(ByteReader& in, size_t bytes) {
  std::vector<FramePiece> pieces;
  const uint64_t count = in.count(1);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t value = in.varint();
    const auto kind = static_cast<PieceKind>(value & kKindMask);
    const uint64_t length = value >> kKindBits;
    if (std::ranges::count(kKinds, kind) == 0) in.fail("a piece of an unknown kind");
    if (length == 0 || length > bytes - sum) in.fail("a piece that does not fit into the frame");
    if (!pieces.empty() && pieces.back().kind == kind) in.fail("two pieces that are one");
    pieces.push_back({kind, static_cast<uint32_t>(length)});
    sum += length;
  }
  if (sum != bytes) in.fail("pieces that do not fill the frame");
  return pieces;
}

// The bytes of one kind, end to end.
RawBuffer decode_stream(PieceKind kind, ByteView stored, size_t bytes, std::string_view object) {
  if (kind == PieceKind::kPlain) {
    ByteReader in(stored, object);
    RawBuffer raw = read_section(in, bytes);
    in.expect_end();
    if (raw.size() != bytes) in.fail("plain pieces of other lengths");
    return raw;
  }
  RawBuffer raw(bytes);
  if (kind == PieceKind::kIndex)
    decode_tsm_index(stored, raw.span(), object);
  else
    decode_columns(stored, raw.span(), object);
  return raw;
}

}  // namespace

MixedFrame::MixedFrame(ByteView raw, std::span<const BlobEntry> blobs, bool columns) {
  for (const BlobEntry& blob : blobs) {
    const ByteView bytes = raw.first(blob.length);
    if (index_.add(bytes))
      add(PieceKind::kIndex, bytes);
    else
      add(columns && columns_.add(bytes) ? PieceKind::kBlocks : PieceKind::kPlain, bytes);
    raw = raw.subspan(blob.length);
  }
}

void MixedFrame::add(PieceKind kind, ByteView bytes) {
  if (bytes.empty()) return;
  if (kind == PieceKind::kPlain) append(plain_, bytes);
  if (pieces_.empty() || pieces_.back().kind != kind) pieces_.push_back({kind, 0});
  pieces_.back().length += static_cast<uint32_t>(bytes.size());
}

void MixedFrame::encode(ByteBuffer& out, ZstdCompressor& plain, ZstdCompressor& zstd) const {
  ByteWriter writer(out);
  writer.varint(pieces_.size());
  for (const FramePiece& piece : pieces_)
    writer.varint(uint64_t{piece.length} << kKindBits | static_cast<uint64_t>(piece.kind));
  ByteBuffer stream;
  if (!plain_.empty()) {
    append_section(stream, plain_, plain);
    writer.sized(stream);
  }
  if (!index_.is_empty()) {
    stream.clear();
    index_.encode(stream, zstd);
    writer.sized(stream);
  }
  if (!columns_.is_empty()) {
    stream.clear();
    columns_.encode(stream, zstd);
    writer.sized(stream);
  }
}

bool has_columns(Codec codec, ByteView stored) {
  if (codec != Codec::kMixed) return false;
  try {
    ByteReader in(stored, "a frame");
    const uint64_t count = in.count(1);
    for (uint64_t i = 0; i < count; ++i)
      if (static_cast<PieceKind>(in.varint() & kKindMask) == PieceKind::kBlocks) return true;
  } catch (const CorruptError&) {
    // Whoever reads it will say so.
  }
  return false;
}

void decode_mixed_frame(ByteView stored, MutableByteView out, std::string_view object) {
  ByteReader in(stored, object);
  const auto pieces = decode_pieces(in, out.size());
  for (const PieceKind kind : kKinds) {
    size_t bytes = 0;
    for (const FramePiece& piece : pieces)
      if (piece.kind == kind) bytes += piece.length;
    if (bytes == 0) continue;
    const RawBuffer raw = decode_stream(kind, in.sized(in.remaining()), bytes, object);
    ByteView rest = raw.view();
    size_t at = 0;
    for (const FramePiece& piece : pieces) {
      if (piece.kind == kind) {
        std::ranges::copy(rest.first(piece.length), out.data() + at);
        rest = rest.subspan(piece.length);
      }
      at += piece.length;
    }
  }
  in.expect_end();
}

}  // namespace tsmfs::index
