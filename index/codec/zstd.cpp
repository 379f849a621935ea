#include "index/codec/zstd.h"

#include <fmt/format.h>
#include <zstd.h>

#include <new>

#include "index/base/error.h"

namespace tsmfs::index {

namespace {

constexpr size_t kGainShareMin = 33;

void set(ZSTD_CCtx* context, ZSTD_cParameter parameter, int value) {
  const size_t result = ZSTD_CCtx_setParameter(context, parameter, value);
  if (ZSTD_isError(result))
    throw UsageError(fmt::format("zstd refuses a parameter: {}", ZSTD_getErrorName(result)));
}

}  // namespace

ZstdCompressor::ZstdCompressor(int level, int min_match) : context_(ZSTD_createCCtx()) {
  if (!context_) throw std::bad_alloc();
  set(context_.get(), ZSTD_c_compressionLevel, level);
  if (min_match != 0) set(context_.get(), ZSTD_c_minMatch, min_match);
  set(context_.get(), ZSTD_c_contentSizeFlag, 1);
}

void ZstdCompressor::Free::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

size_t ZstdCompressor::bound(size_t raw_bytes) {
  return ZSTD_compressBound(raw_bytes);
}

std::optional<size_t> ZstdCompressor::compress(ByteView raw, MutableByteView out) {
  const size_t length =
      ZSTD_compress2(context_.get(), out.data(), out.size(), raw.data(), raw.size());
  if (ZSTD_isError(length))
    throw std::bad_alloc();  // with a bounded output, memory is all that it can lack
  if (length + raw.size() / kGainShareMin >= raw.size()) return std::nullopt;
  return length;
}

bool decompress_zstd(ByteView stored, MutableByteView out) {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  if (!context) throw std::bad_alloc();
  const size_t length =
      ZSTD_decompressDCtx(context.get(), out.data(), out.size(), stored.data(), stored.size());
  // Other frames behind the first would decompress too; no writer makes such.
  return !ZSTD_isError(length) && length == out.size() &&
         ZSTD_findFrameCompressedSize(stored.data(), stored.size()) == stored.size();
}

}  // namespace tsmfs::index
