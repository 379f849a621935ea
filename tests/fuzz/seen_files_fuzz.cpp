// SeenFiles::decode: refuses what is no list, and takes only the one encoding of one. The input is
// tried as it is, and as the list below a checksum that fits it.
#include "index/base/error.h"
#include "snapshot/intake/seen_files.h"
#include "tests/fuzz/fuzz_target.h"

namespace tsmfs::fuzz {
namespace {

void try_list(ByteView input) {
  using snapshot::SeenFiles;
  takes<CorruptError>([&] {
    require(as_text(SeenFiles::decode(input, "input").encode()) == as_text(input),
            "there is one encoding of a list");
  });
}

}  // namespace
}  // namespace tsmfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  const ByteView input = fuzz::input_bytes(data, size);
  fuzz::try_list(input);
  ByteBuffer sealed;
  ByteWriter writer(sealed);
  writer.u8(1);
  writer.le(index::checksum(input, 0));
  writer.raw(input);
  fuzz::try_list(sealed);
  return 0;
}
