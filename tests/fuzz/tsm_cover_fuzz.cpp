// cover_tsm: any two files are compared in little memory, whatever number of points they claim, and
// the answer is right for a file and itself.
//
// An input is the length of the newer file (2 bytes, big-endian), that file, and the older one.
#include <algorithm>
#include <vector>

#include "index/tsm/tsm_cover.h"
#include "index/tsm/tsm_index.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/memory_limit.h"

namespace tsmfs::fuzz {
namespace {

using index::Cover;

// Two windows into index sections and the lists of blocks of two keys, which the input holds.
size_t memory_for(size_t input_bytes) {
  return (size_t{1} << 20) + 8 * input_bytes;
}

Cover cover(ByteView newer, ByteView older) {
  index::MemorySource newer_source(newer), older_source(older);
  const MemoryLimit limit(memory_for(newer.size() + older.size()));
  return index::cover_tsm(newer_source, older_source);
}

void try_files(ByteView newer, ByteView older) {
  const Cover there = cover(newer, older);
  if (there == Cover::kNone) return;
  require(cover(older, older) == Cover::kAll || there == Cover::kSome,
          "a file that another one covers covers itself");
}

}  // namespace
}  // namespace tsmfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  ByteView files = fuzz::input_bytes(data, size);
  if (files.size() < 2) return 0;
  const size_t length = load_be<uint16_t>(files.data());
  files = files.subspan(2);
  const ByteView newer = files.first(std::min(length, files.size()));
  fuzz::try_files(newer, files.subspan(newer.size()));
  fuzz::try_files(newer, newer);
  return 0;
}
