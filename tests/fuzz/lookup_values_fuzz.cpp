// The keys and values of the index. What is taken is encoded as it was, flags that nobody knows
// aside.
#include "index/base/error.h"
#include "index/lookup/lookup.h"
#include "index/lookup/lookup_values.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  using namespace tsmfs::fuzz;
  const ByteView input = input_bytes(data, size);
  const auto same = [&](const ByteBuffer& encoded) {
    require(as_text(encoded) == as_text(input), "it is encoded as it was");
  };
  takes<CorruptError>([&] { index::check_id_key(input); });
  takes<CorruptError>([&] { same(index::encode_pack_key(index::decode_pack_key(input))); });
  takes<CorruptError>([&] { same(index::encode_chunk_value(index::decode_chunk_value(input))); });
  takes<CorruptError>([&] { same(index::encode_tree_place(index::decode_tree_place(input))); });
  takes<CorruptError>([&] {
    const index::PackRecord record = index::decode_pack_record(input);
    const ByteBuffer again = index::encode_pack_record(record);
    if (record.logical_bytes) same(again);
    const index::PackRecord back = index::decode_pack_record(again);
    require(back.id == record.id && back.file_bytes == record.file_bytes &&
                back.logical_bytes == record.logical_bytes,
            "what counts comes back");
  });
  takes<CorruptError>([&] {
    const index::FilePlace place = index::decode_file_place(input);
    const index::FilePlace again = index::decode_file_place(index::encode_file_place(place));
    require(again.lossy == place.lossy, "its flag comes back");
  });
  return 0;
}
