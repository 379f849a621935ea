#include "index/pack/pack_filler.h"

#include <fmt/format.h>

#include <utility>

#include "index/base/error.h"
#include "index/base/invariant.h"
#include "index/format/recipe.h"

namespace tsmfs::index {

namespace {

constexpr size_t kChunksPerPackMax = 128 << 10;  // bounds what one pack's list takes in memory
constexpr size_t kRecipeFrameBytes =
    256 << 10;  // small, since reading one recipe decompresses its frame
constexpr size_t kTreeFrameBytes = 64 << 10;
constexpr size_t kSideBytesMax = size_t{16}
                                 << 20;  // recipes and trees waiting for the end of their pack

void check_size(const ByteBuffer& encoded, const char* what, const std::string& id) {
  if (encoded.size() > kFrameRawBytesMax)
    throw UsageError(fmt::format("{} {} is too large for a pack: {} bytes, {} is the limit", what,
                                 id, encoded.size(), kFrameRawBytesMax));
}

}  // namespace

PackFiller::PackFiller(PackFillerOptions options)
    : options_(std::move(options)),
      next_sequence_(options_.first_sequence),
      pipeline_({options_.storage, options_.compression, options_.threads, options_.on_pack}) {}

OpenPack& PackFiller::open_pack() {
  if (pack_) return *pack_;
  pack_.emplace();
  pack_->header = {random_id<PackId>(), options_.config.id, next_sequence_++};
  pipeline_.begin_pack(pack_->header);
  return *pack_;
}

NewPlace PackFiller::add_chunk(const ChunkId& id, ByteView bytes, bool was_in_columns) {
  OpenPack* pack = &open_pack();
  if (pack->chunk_count >= kChunksPerPackMax ||
      pack->logical_bytes + bytes.size() > options_.config.pack_bytes) {
    end_pack();
    pack = &open_pack();
  }
  if (pack->chunks.bytes.size() + bytes.size() > options_.config.frame_bytes ||
      pack->chunks.was_in_columns != was_in_columns)
    submit_chunks();
  pack->chunks.was_in_columns = was_in_columns;
  const NewPlace place{pack->header.id, static_cast<uint32_t>(pack->logical_bytes)};
  append(pack->chunks.bytes, bytes);
  pack->chunks.blobs.push_back(
      {Id<BlobTag>::from(id.view()), static_cast<uint32_t>(bytes.size()), 0});
  pack->logical_bytes += bytes.size();
  ++pack->chunk_count;
  return place;
}

void PackFiller::add_recipe(const FileId& id, ByteBuffer encoded, const RecipeNeeds& needs) {
  check_size(encoded, "the recipe of file", id.hex());
  require_readable([&] { Recipe::decode(encoded, "the recipe of file " + id.hex()); });
  OpenPack& pack = open_pack_for_side(encoded.size());
  pack.lists.add(id, needs);
  add_side(pack.recipes, {Id<BlobTag>::from(id.view()), std::move(encoded)});
}

void PackFiller::add_tree(const TreeId& id, ByteBuffer encoded) {
  check_size(encoded, "the node of a directory,", id.hex());
  OpenPack& pack = open_pack_for_side(encoded.size());
  add_side(pack.trees, {Id<BlobTag>::from(id.view()), std::move(encoded)});
}

void PackFiller::add_side(std::vector<SideBlob>& list, SideBlob blob) {
  pack_->side_bytes += blob.bytes.size();
  list.push_back(std::move(blob));
  if (pack_->side_bytes > kSideBytesMax) end_pack();
}

// A pack in which so many more bytes of recipes or trees have room. Readers refuse a pack that is
// larger than kPackRawBytesMax.
OpenPack& PackFiller::open_pack_for_side(size_t bytes) {
  OpenPack& pack = open_pack();
  if (pack.logical_bytes + pack.side_bytes + bytes <= kPackRawBytesMax) return pack;
  end_pack();
  return open_pack();
}

void PackFiller::submit_chunks() {
  if (pack_->chunks.blobs.empty()) return;
  RawFrame next;
  next.bytes.reserve(options_.config.frame_bytes);
  pipeline_.submit(std::exchange(pack_->chunks, std::move(next)));
}

void PackFiller::submit_side(BlobKind kind, std::vector<SideBlob>& blobs, size_t frame_bytes) {
  RawFrame frame{kind, {}, {}};
  for (SideBlob& blob : blobs) {
    if (!frame.blobs.empty() && frame.bytes.size() + blob.bytes.size() > frame_bytes)
      pipeline_.submit(std::exchange(frame, RawFrame{kind, {}, {}}));
    frame.blobs.push_back({blob.id, static_cast<uint32_t>(blob.bytes.size()), 0});
    append(frame.bytes, blob.bytes);
  }
  if (!frame.blobs.empty()) pipeline_.submit(std::move(frame));
  blobs.clear();
}

void PackFiller::end_pack() {
  submit_chunks();
  submit_side(BlobKind::kRecipe, pack_->recipes, kRecipeFrameBytes);
  submit_side(BlobKind::kTree, pack_->trees, kTreeFrameBytes);
  pipeline_.end_pack(std::move(pack_->lists));
  pack_.reset();
}

void PackFiller::drain() {
  if (pack_) end_pack();
  pipeline_.drain();
}

}  // namespace tsmfs::index
