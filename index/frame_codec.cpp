#include "index/frame_codec.h"

#include <fmt/format.h>
#include <zstd.h>

#include <charconv>
#include <new>

#include "index/base/error.h"

namespace tsmfs::index {

namespace {

// zstd has to save at least one part in this many, else the frame is stored raw.
constexpr size_t kGainShareMin = 33;

void set(ZSTD_CCtx* context, ZSTD_cParameter parameter, int value) {
  const size_t result = ZSTD_CCtx_setParameter(context, parameter, value);
  if (ZSTD_isError(result))
    throw UsageError(fmt::format("zstd refuses a parameter: {}", ZSTD_getErrorName(result)));
}

}  // namespace

Compression Compression::parse(std::string_view text) {
  if (text == "none") return {kNone, 0};
  if (text == "fast") return {1, 5};
  int level = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
  if (error != std::errc() || end != text.data() + text.size() || level < 1 || level > kLevelMax)
    throw UsageError(fmt::format("'{}' is not a compression", text),
                     "use none, fast, or a zstd level from 1 to 19");
  // The strategies of the high levels search for short matches better by themselves.
  return {level, level <= 12 ? 5 : 0};
}

FrameCompressor::FrameCompressor(const Compression& compression) : compression_(compression) {
  if (compression_.level == Compression::kNone) return;
  context_.reset(ZSTD_createCCtx());
  if (!context_) throw std::bad_alloc();
  set(context_.get(), ZSTD_c_compressionLevel, compression_.level);
  if (compression_.min_match != 0) set(context_.get(), ZSTD_c_minMatch, compression_.min_match);
  set(context_.get(), ZSTD_c_contentSizeFlag, 1);
}

void FrameCompressor::Free::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

Codec FrameCompressor::compress(ByteView raw, RawBuffer& out) {
  if (context_) {
    out = RawBuffer(ZSTD_compressBound(raw.size()));
    const size_t length =
        ZSTD_compress2(context_.get(), out.data(), out.size(), raw.data(), raw.size());
    if (ZSTD_isError(length))
      throw std::bad_alloc();  // with a bounded output, memory is all that it can lack
    if (length + raw.size() / kGainShareMin < raw.size()) {
      out.resize(length);
      return Codec::kZstd;
    }
  }
  out = RawBuffer(raw.size());
  if (!raw.empty()) std::memcpy(out.data(), raw.data(), raw.size());
  return Codec::kRaw;
}

void decompress_frame(Codec codec, ByteView stored, MutableByteView out, std::string_view object) {
  if (codec == Codec::kRaw) {
    if (stored.size() != out.size())
      throw CorruptError(fmt::format("{} is damaged: a raw frame of the wrong length", object));
    if (!out.empty()) std::memcpy(out.data(), stored.data(), out.size());
    return;
  }
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

}  // namespace tsmfs::index
