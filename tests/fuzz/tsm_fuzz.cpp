// read_tsm_layout and FileCutter: whatever a file holds, its pieces are the file again, and lengths
// fit.
#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <variant>

#include "index/cut/file_cutter.h"
#include "index/tsm/tsm_layout.h"
#include "tests/fuzz/fuzz_target.h"

namespace tsmfs::fuzz {
namespace {

// Copies each view to memory of its own and drops the last one: a sanitizer sees a read outside a
// view, and one of a view that is no longer good.
class StrictSource : public index::ByteSource {
 public:
  explicit StrictSource(ByteView bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  ByteView view(uint64_t offset, size_t length) override {
    require(offset <= bytes_.size() && length <= bytes_.size() - offset,
            "a view lies inside the file");
    view_ = std::make_unique<std::byte[]>(length);
    if (length > 0) std::memcpy(view_.get(), bytes_.data() + offset, length);
    return {view_.get(), length};
  }

 private:
  ByteView bytes_;
  std::unique_ptr<std::byte[]> view_;
};

void check_layout(const index::TsmLayout& layout, uint64_t size) {
  uint64_t end = index::kTsmHeaderBytes;
  for (const uint32_t length : layout.block_lengths) {
    require(length > index::kTsmCrcBytes, "a block is more than its CRC");
    end += length;
  }
  require(!layout.block_lengths.empty(), "a sound file has blocks");
  require(end == layout.index_offset, "the blocks end where the index begins");
  require(layout.index_offset <= size - index::kTsmFooterBytes,
          "the index begins before the footer");
}

constexpr size_t kBatchOrKeyBytesMax = std::max(index::kBatchBytesMax, index::kTsmIndexKeyBytesMax);

// The defect that the cutter names, or none.
std::string cut(ByteView file, index::FileKind kind) {
  StrictSource source(file);
  index::FileCutter cutter(source, kind);
  index::CutBatch batch;
  ByteBuffer whole;
  while (cutter.next(batch)) {
    require(!batch.bytes.empty() && batch.bytes.size() <= kBatchOrKeyBytesMax,
            "a batch has bytes, and not too many");
    require(!batch.literal() || batch.bytes.size() == index::kTsmHeaderBytes ||
                batch.bytes.size() == index::kTsmFooterBytes,
            "only header and footer are literals");
    uint64_t sum = 0;
    for (const uint32_t length : batch.lengths) {
      require(length > 0, "no chunk is empty");
      sum += length;
    }
    require(batch.literal() || sum == batch.bytes.size(), "the chunks are the batch");
    append(whole, batch.bytes);
  }
  require(as_text(whole) == as_text(file), "the pieces are the file");
  return cutter.tsm_defect();
}

ByteBuffer with_right_crcs(ByteView file, const index::TsmLayout& layout) {
  ByteBuffer sound(file.begin(), file.end());
  std::byte* block = sound.data() + index::kTsmHeaderBytes;
  for (const uint32_t length : layout.block_lengths) {
    const ByteView data(block + index::kTsmCrcBytes, length - index::kTsmCrcBytes);
    store_be(block, index::update_tsm_crc(0, data));
    block += length;
  }
  return sound;
}

void try_file(ByteView file) {
  StrictSource source(file);
  const auto result = index::read_tsm_layout(source);
  const auto* layout = std::get_if<index::TsmLayout>(&result);
  const std::string defect = cut(file, index::FileKind::kTsm);
  if (!layout) {
    require(defect == std::get<index::TsmDefect>(result).what && !defect.empty(),
            "a defect has a name");
    return;
  }
  check_layout(*layout, file.size());
  require(cut(with_right_crcs(file, *layout), index::FileKind::kTsm).empty(),
          "right CRCs make a sound file");
}

// A file whose footer points where its last bytes say, so that few inputs end at the footer.
ByteBuffer with_near_footer(ByteView file) {
  ByteBuffer nearer(file.begin(), file.end());
  std::byte* footer = nearer.data() + nearer.size() - index::kTsmFooterBytes;
  const uint64_t places = nearer.size() - index::kTsmHeaderBytes - index::kTsmFooterBytes + 1;
  store_be(footer, index::kTsmHeaderBytes + load_be<uint64_t>(footer) % places);
  return nearer;
}

}  // namespace
}  // namespace tsmfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  const ByteView file = fuzz::input_bytes(data, size);
  fuzz::try_file(file);
  if (size >= index::kTsmHeaderBytes + index::kTsmFooterBytes)
    fuzz::try_file(fuzz::with_near_footer(file));
  fuzz::require(fuzz::cut(file, index::FileKind::kOther).empty(),
                "a file of another kind has no TSM defect");
  return 0;
}
