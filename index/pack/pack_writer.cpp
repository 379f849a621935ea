#include "index/pack/pack_writer.h"

#include <array>

#include "index/base/invariant.h"
#include "index/format/object_keys.h"

namespace tsmfs::index {

PackWriter::PackWriter(Storage& storage, const PackHeader& header)
    : object_(storage.create(pack_key(header.id))) {
  contents_.header = header;
  std::array<std::byte, kPackHeaderBytes> bytes;
  encode_pack_header(header, bytes);
  object_->write(bytes);
  file_offset_ = bytes.size();
}

void PackWriter::append(const StoredFrame& frame) {
  require_invariant(contents_.frames.empty() || contents_.frames.back().kind <= frame.kind,
                    "the frames of a pack come in the order of their kinds");
  FrameEntry entry;
  entry.kind = frame.kind;
  entry.raw_length = frame.raw_length;
  entry.stored_length = static_cast<uint32_t>(frame.stored.size());
  entry.blob_count = static_cast<uint32_t>(frame.blobs.size());
  entry.logical_start = logical_offset_;
  entry.file_offset = file_offset_;
  entry.first_blob = static_cast<uint32_t>(contents_.blobs.size());
  std::array<std::byte, kFrameHeaderBytes> header;
  encode_frame_header(
      {frame.kind, frame.codec, entry.raw_length, entry.stored_length, entry.logical_start},
      frame.stored.view(), contents_.header.id, header);
  object_->write(header);
  object_->write(frame.stored.view());
  uint64_t logical = logical_offset_;
  for (BlobEntry blob : frame.blobs) {
    blob.logical_start = logical;
    logical += blob.length;
    contents_.blobs.push_back(blob);
  }
  contents_.frames.push_back(entry);
  logical_offset_ = entry.logical_end();
  file_offset_ += kFrameHeaderBytes + entry.stored_length;
}

PackContents PackWriter::finish() {
  const PackId& id = contents_.header.id;
  const ByteBuffer frame_table = encode_frame_table(contents_.frames);
  const ByteBuffer blob_table = encode_blob_table(contents_.blobs);
  PackTrailer trailer;
  trailer.tables_offset = file_offset_;
  trailer.frame_table_length = static_cast<uint32_t>(frame_table.size());
  trailer.blob_table_length = static_cast<uint32_t>(blob_table.size());
  trailer.frame_table_checksum = checksum(frame_table, checksum_seed(id));
  trailer.blob_table_checksum = checksum(blob_table, checksum_seed(id));
  trailer.frame_count = static_cast<uint32_t>(contents_.frames.size());
  trailer.blob_count = static_cast<uint32_t>(contents_.blobs.size());
  std::array<std::byte, kPackTrailerBytes> bytes;
  encode_pack_trailer(trailer, id, bytes);
  object_->write(frame_table);
  object_->write(blob_table);
  object_->write(bytes);
  require_readable([&] {
    const std::string name = "pack " + id.hex();
    const uint64_t file_bytes =
        file_offset_ + frame_table.size() + blob_table.size() + bytes.size();
    const PackTrailer read = decode_pack_trailer(bytes, file_bytes, id, name);
    decode_blob_table(blob_table, read, decode_frame_table(frame_table, read, id, name), id, name);
  });
  object_->publish();
  contents_.file_bytes = file_offset_ + frame_table.size() + blob_table.size() + bytes.size();
  return std::move(contents_);
}

}  // namespace tsmfs::index
