#include "index/pack/pack_reader.h"

#include <fmt/format.h>

#include "index/base/error.h"
#include "index/codec/frame_codec.h"
#include "index/codec/mixed_frame.h"
#include "index/format/object_keys.h"
#include "index/format/recipe_needs.h"

namespace tsmfs::index {

namespace {

std::unique_ptr<StoredObject> open_pack(const Storage& storage, const PackId& id,
                                        const std::string& name) {
  if (auto object = storage.open(pack_key(id))) return object;
  throw MissingError(name + " is gone", "run tsmfs check to see what was lost with it");
}

}  // namespace

PackReader::PackReader(const Storage& storage, const PackId& id, const RepositoryId& repository)
    : name_("pack " + id.hex()), object_(open_pack(storage, id, name_)) {
  if (file_bytes() < kPackHeaderBytes + kPackTrailerBytes)
    throw CorruptError(fmt::format("{} is damaged: only {} bytes long", name_, file_bytes()));
  std::array<std::byte, kPackHeaderBytes> header;
  object_->read(0, header);
  header_ = decode_pack_header(header, name_);
  if (header_.id != id)
    throw CorruptError(
        fmt::format("{} holds pack {}", storage.location(pack_key(id)), header_.id.hex()));
  if (header_.repository != repository)
    throw CorruptError(
        fmt::format("{} is of another repository, {}", name_, header_.repository.hex()));
  std::array<std::byte, kPackTrailerBytes> trailer;
  object_->read(file_bytes() - trailer.size(), trailer);
  trailer_ = decode_pack_trailer(trailer, file_bytes(), id, name_);
  RawBuffer table(trailer_.frame_table_length);
  object_->read(trailer_.tables_offset, table.span());
  frames_ = decode_frame_table(table.view(), trailer_, id, name_);
}

size_t PackReader::frame_at(uint64_t logical_offset) const {
  const auto after = std::upper_bound(
      frames_.begin(), frames_.end(), logical_offset,
      [](uint64_t value, const FrameEntry& frame) { return value < frame.logical_start; });
  if (after == frames_.begin() || logical_offset >= std::prev(after)->logical_end())
    throw CorruptError(
        fmt::format("{} has no byte {}, which a recipe or the index names", name_, logical_offset));
  return static_cast<size_t>(after - frames_.begin()) - 1;
}

RawBuffer PackReader::read_frame(size_t number) const {
  RawBuffer raw(frames_.at(number).raw_length);
  read_frame(number, raw.span());
  return raw;
}

void PackReader::read_frame(size_t number, MutableByteView out) const {
  const auto [codec, stored] = read_stored(number);
  decompress_frame(codec, stored, out, name_);
}

bool PackReader::is_in_columns(size_t number) const {
  const auto [codec, stored] = read_stored(number);
  return has_columns(codec, stored);
}

PackReader::StoredBytes PackReader::read_stored(size_t number) const {
  const FrameEntry& entry = frames_.at(number);
  thread_local RawBuffer bytes;  // as it lies in the pack
  if (bytes.capacity() < kFrameHeaderBytes + entry.stored_length)
    bytes = RawBuffer(kFrameHeaderBytes + entry.stored_length);
  bytes.resize(kFrameHeaderBytes + entry.stored_length);
  object_->read(entry.file_offset, bytes.span());
  const FrameHeader header = decode_frame(bytes.view(), header_.id, name_);
  if (header.kind != entry.kind || header.raw_length != entry.raw_length ||
      header.logical_start != entry.logical_start)
    throw CorruptError(
        fmt::format("{} is damaged: frame {} is not the one its table names", name_, number));
  return {header.codec, bytes.view().subspan(kFrameHeaderBytes)};
}

std::vector<BlobEntry> PackReader::read_blobs() const {
  RawBuffer table(trailer_.blob_table_length);
  object_->read(trailer_.tables_offset + trailer_.frame_table_length, table.span());
  return decode_blob_table(table.view(), trailer_, frames_, header_.id, name_);
}

PackContents read_pack_contents(const PackReader& pack,
                                const std::function<bool(const PackId&)>& is_present) {
  PackContents contents{pack.header(), pack.file_bytes(), pack.frames(), pack.read_blobs(), {}};
  for (size_t number = 0; number < contents.frames.size(); ++number) {
    const FrameEntry& frame = contents.frames[number];
    if (frame.kind != BlobKind::kRecipe) continue;
    const RawBuffer raw = pack.read_frame(number);
    for (uint32_t i = 0; i < frame.blob_count; ++i) {
      const BlobEntry& blob = contents.blobs[frame.first_blob + i];
      const Recipe recipe = Recipe::decode(
          raw.view().subspan(blob.logical_start - frame.logical_start, blob.length), pack.name());
      contents.lists.add(recipe.file(), needs_of(recipe, [&](const PackId& id) {
                           return id == contents.header.id || is_present(id);
                         }));
    }
  }
  return contents;
}

}  // namespace tsmfs::index
