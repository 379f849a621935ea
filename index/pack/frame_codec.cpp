#include "index/pack/frame_codec.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <optional>

#include "index/base/error.h"
#include "index/base/parse_number.h"

namespace tsmfs::index {

namespace {

// zstd has to save at least one part in this many, else the frame is stored raw.
constexpr size_t kGainShareMin = 33;
// From this level on zstd takes its time over what it cannot compress (5: 0.3 GB/s; 3: 8 GB/s), so
// a level that does not is asked first: about a sample, then, when that gains nothing, about all.
constexpr int kProbedLevelMin = 4, kProbeLevel = 1;
constexpr size_t kSampleBytes = size_t{16} << 10;

void set(ZSTD_CCtx* context, ZSTD_cParameter parameter, int value) {
  const size_t result = ZSTD_CCtx_setParameter(context, parameter, value);
  if (ZSTD_isError(result))
    throw UsageError(fmt::format("zstd refuses a parameter: {}", ZSTD_getErrorName(result)));
}

// The compressed length, or nothing when that saves too little. Requires: `out` has zstd's bound.
std::optional<size_t> compress_with(ZSTD_CCtx* context, ByteView raw, RawBuffer& out) {
  const size_t length = ZSTD_compress2(context, out.data(), out.size(), raw.data(), raw.size());
  if (ZSTD_isError(length))
    throw std::bad_alloc();  // with a bounded output, memory is all that it can lack
  if (length + raw.size() / kGainShareMin >= raw.size()) return std::nullopt;
  return length;
}

void decode_raw(ByteView stored, MutableByteView out, std::string_view object) {
  if (stored.size() != out.size())
    throw CorruptError(fmt::format("{} is damaged: a raw frame of the wrong length", object));
  if (!out.empty()) std::memcpy(out.data(), stored.data(), out.size());
}

void decode_zstd(ByteView stored, MutableByteView out, std::string_view object) {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  if (!context) throw std::bad_alloc();
  const size_t length =
      ZSTD_decompressDCtx(context.get(), out.data(), out.size(), stored.data(), stored.size());
  // Other frames behind the first would decompress too; no writer makes such.
  if (ZSTD_isError(length) || length != out.size() ||
      ZSTD_findFrameCompressedSize(stored.data(), stored.size()) != stored.size())
    throw CorruptError(fmt::format("{} is damaged: a frame does not decompress to its {} bytes",
                                   object, out.size()));
}

// All codecs there are: a new one is a line here, and a Codec of its own.
struct Decoder {
  Codec codec;
  void (*decode)(ByteView stored, MutableByteView out, std::string_view object);
};
constexpr std::array kDecoders = {Decoder{Codec::kRaw, decode_raw},
                                  Decoder{Codec::kZstd, decode_zstd}};

}  // namespace

Compression Compression::parse(std::string_view text) {
  if (text == "none") return {kNone, 0};
  if (text == "fast") return {1, 5};
  const auto level = parse_number<int>(text);
  if (!level || *level < 1 || *level > kLevelMax)
    throw UsageError(fmt::format("'{}' is not a compression", text),
                     "use none, fast, or a zstd level from 1 to 19");
  // The strategies of the high levels search for short matches better by themselves.
  return {*level, *level <= 12 ? 5 : 0};
}

FrameCompressor::FrameCompressor(const Compression& compression) {
  if (compression.level == Compression::kNone) return;
  context_ = make_context(compression.level, compression.min_match);
  if (compression.level >= kProbedLevelMin) probe_ = make_context(kProbeLevel, 0);
}

FrameCompressor::Context FrameCompressor::make_context(int level, int min_match) {
  Context context(ZSTD_createCCtx());
  if (!context) throw std::bad_alloc();
  set(context.get(), ZSTD_c_compressionLevel, level);
  if (min_match != 0) set(context.get(), ZSTD_c_minMatch, min_match);
  set(context.get(), ZSTD_c_contentSizeFlag, 1);
  return context;
}

void FrameCompressor::Free::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

bool FrameCompressor::is_incompressible(ByteView raw, RawBuffer& out) {
  if (!probe_) return false;
  const size_t length = std::min(raw.size(), kSampleBytes);
  const ByteView sample = raw.subspan((raw.size() - length) / 2, length);
  return !compress_with(probe_.get(), sample, out) && !compress_with(probe_.get(), raw, out);
}

Codec FrameCompressor::compress(ByteView raw, RawBuffer& out) {
  if (context_) {
    out = RawBuffer(ZSTD_compressBound(raw.size()));
    if (!is_incompressible(raw, out)) {
      if (const auto length = compress_with(context_.get(), raw, out)) {
        out.resize(*length);
        return Codec::kZstd;
      }
    }
  }
  out = RawBuffer(raw.size());
  if (!raw.empty()) std::memcpy(out.data(), raw.data(), raw.size());
  return Codec::kRaw;
}

void decompress_frame(Codec codec, ByteView stored, MutableByteView out, std::string_view object) {
  const auto decoder = std::ranges::find(kDecoders, codec, &Decoder::codec);
  if (decoder == kDecoders.end())
    throw CorruptError(fmt::format("{} is damaged: a frame of an unknown codec", object));
  decoder->decode(stored, out, object);
}

}  // namespace tsmfs::index
