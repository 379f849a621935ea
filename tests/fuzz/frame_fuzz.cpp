// decompress_frame: exactly the bytes that are wanted, or CorruptError; and what is compressed
// comes back.
//
// The input's first two bytes are the length that is wanted (times 16, so up to 1 MiB), the others
// are the stored frame.
#include <cstring>

#include "index/base/error.h"
#include "index/codec/frame_codec.h"
#include "tests/fuzz/fuzz_target.h"

namespace tsmfs::fuzz {
namespace {

using namespace index;

constexpr size_t kLengthBytes = 2, kLengthUnit = 16;

void decompress(ByteView stored, size_t length) {
  RawBuffer raw(length);
  for (const Codec codec : {Codec::kZstd, Codec::kMixed})
    takes<CorruptError>([&] { decompress_frame(codec, stored, raw.span(), "input"); });
  const bool taken =
      takes<CorruptError>([&] { decompress_frame(Codec::kRaw, stored, raw.span(), "input"); });
  require(taken == (stored.size() == length), "a raw frame has the length that is wanted");
}

// As one chunk.
void round_trip(ByteView raw) {
  static FrameCompressor compressor(Compression::parse("columns"));
  RawBuffer stored;
  const BlobEntry chunk{{}, static_cast<uint32_t>(raw.size()), 0};
  const Codec codec = compressor.compress_chunks(raw, {&chunk, 1}, false, stored);
  RawBuffer again(raw.size());
  decompress_frame(codec, stored.view(), again.span(), "round trip");
  require(as_text(again.view()) == as_text(raw), "what is compressed comes back");
}

}  // namespace
}  // namespace tsmfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  const ByteView input = fuzz::input_bytes(data, size);
  if (size < fuzz::kLengthBytes) return 0;
  fuzz::decompress(input.subspan(fuzz::kLengthBytes),
                   load_le<uint16_t>(input.data()) * fuzz::kLengthUnit);
  fuzz::round_trip(input);
  return 0;
}
