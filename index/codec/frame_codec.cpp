#include "index/codec/frame_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "index/base/error.h"
#include "index/base/parse_number.h"
#include "index/codec/mixed_frame.h"

namespace tsmfs::index {

namespace {

// From this level on zstd takes its time over what it cannot compress (5: 0.3 GB/s; 3: 8 GB/s), so
// a level that does not is asked first: about a sample, then, when that gains nothing, about all.
constexpr int kProbedLevelMin = 4, kProbeLevel = 1;
constexpr int kSectionLevel = 3;
constexpr size_t kSampleBytes = size_t{16} << 10;

void decode_raw(ByteView stored, MutableByteView out, std::string_view object) {
  if (stored.size() != out.size())
    throw CorruptError(fmt::format("{} is damaged: a raw frame of the wrong length", object));
  if (!out.empty()) std::memcpy(out.data(), stored.data(), out.size());
}

void decode_zstd(ByteView stored, MutableByteView out, std::string_view object) {
  if (!decompress_zstd(stored, out))
    throw CorruptError(fmt::format("{} is damaged: a frame does not decompress to its {} bytes",
                                   object, out.size()));
}

// All codecs there are: a new one is a line here, and a Codec of its own.
struct Decoder {
  Codec codec;
  void (*decode)(ByteView stored, MutableByteView out, std::string_view object);
};
constexpr std::array kDecoders = {Decoder{Codec::kRaw, decode_raw},
                                  Decoder{Codec::kZstd, decode_zstd},
                                  Decoder{Codec::kMixed, decode_mixed_frame}};

}  // namespace

Compression Compression::parse(std::string_view text) {
  if (text == "none") return {kNone, 0};
  if (text == "fast") return {1, 5};
  if (text == "columns") return {kLevelDefault, 5, true};
  const auto level = parse_number<int>(text);
  if (!level || *level < 1 || *level > kLevelMax)
    throw UsageError(fmt::format("'{}' is not a compression", text),
                     "use none, fast, columns, or a zstd level from 1 to 19");
  // The strategies of the high levels search for short matches better by themselves.
  return {*level, *level <= 12 ? 5 : 0};
}

FrameCompressor::FrameCompressor(const Compression& compression) {
  if (compression.level == Compression::kNone) return;
  zstd_.emplace(compression.level, compression.min_match);
  if (compression.level >= kProbedLevelMin) probe_.emplace(kProbeLevel);
  sections_.emplace(kSectionLevel);
  columns_ = compression.columns;
}

bool FrameCompressor::is_incompressible(ByteView raw, RawBuffer& out) {
  if (!probe_) return false;
  const size_t length = std::min(raw.size(), kSampleBytes);
  const ByteView sample = raw.subspan((raw.size() - length) / 2, length);
  return !probe_->compress(sample, out.span()) && !probe_->compress(raw, out.span());
}

Codec FrameCompressor::compress(ByteView raw, RawBuffer& out) {
  if (zstd_) {
    out = RawBuffer(ZstdCompressor::bound(raw.size()));
    if (!is_incompressible(raw, out)) {
      if (const auto length = zstd_->compress(raw, out.span())) {
        out.resize(*length);
        return Codec::kZstd;
      }
    }
  }
  out = RawBuffer(raw.size());
  if (!raw.empty()) std::memcpy(out.data(), raw.data(), raw.size());
  return Codec::kRaw;
}

Codec FrameCompressor::compress_chunks(ByteView raw, std::span<const BlobEntry> chunks,
                                       bool was_in_columns, RawBuffer& out) {
  if (!zstd_) return compress(raw, out);
  const bool columns = columns_ || was_in_columns;
  const MixedFrame mixed(raw, chunks, columns);
  const Codec plain = mixed.is_plain() || columns ? compress(raw, out) : Codec::kMixed;
  if (mixed.is_plain() || !mixed.can_be_read()) return plain;
  ByteBuffer encoded;
  mixed.encode(encoded, *zstd_, *sections_);
  if (plain != Codec::kMixed && out.size() <= encoded.size()) return plain;
  out = RawBuffer(encoded.size());
  std::ranges::copy(encoded, out.data());
  return Codec::kMixed;
}

void decompress_frame(Codec codec, ByteView stored, MutableByteView out, std::string_view object) {
  const auto decoder = std::ranges::find(kDecoders, codec, &Decoder::codec);
  if (decoder == kDecoders.end())
    throw NewerFormatError(object, fmt::format("a frame of codec {}", static_cast<uint8_t>(codec)));
  decoder->decode(stored, out, object);
}

}  // namespace tsmfs::index
