// The lookup's values: what stands behind an id. Private to the lookup: rebuilt from the
// packs, of no other version than this one, and so in no page of the format.
#pragma once

#include <string_view>

#include "index/base/bytes.h"
#include "index/format/digest.h"

namespace tsmfs::index {

struct BlobPlace;
struct FilePlace;
struct PackRecord;

constexpr std::string_view kRebuildAdvice = "the packs hold everything: run tsmfs rebuild-index";

// A pack's number as a key that sorts as numbers do.
ByteBuffer encode_pack_key(uint32_t number);
ByteBuffer encode_chunk_value(uint32_t pack_number);
ByteBuffer encode_tree_place(const BlobPlace& place);
ByteBuffer encode_file_place(const FilePlace& place);
ByteBuffer encode_pack_record(const PackRecord& record);

// All of these throw CorruptError, with kRebuildAdvice.
uint32_t decode_pack_key(ByteView key);
uint32_t decode_chunk_value(ByteView value);
BlobPlace decode_tree_place(ByteView value);
FilePlace decode_file_place(ByteView value);
PackRecord decode_pack_record(ByteView value);
void check_id_key(ByteView key);

}  // namespace tsmfs::index
