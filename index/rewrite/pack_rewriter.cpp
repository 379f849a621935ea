#include "index/rewrite/pack_rewriter.h"

#include <fmt/format.h>

#include "index/base/error.h"
#include "index/format/recipe_needs.h"

namespace tsmfs::index {

namespace {

// Goes through sorted ranges along with ascending queries.
class RangeCursor {
 public:
  explicit RangeCursor(const std::vector<ByteRange>& ranges) : ranges_(ranges) {}
  // Whether a byte of [start, end) is in a range. Requires: `start` never falls.
  bool meets(uint64_t start, uint64_t end) {
    while (at_ < ranges_.size() && ranges_[at_].end <= start) ++at_;
    return at_ < ranges_.size() && ranges_[at_].start < end;
  }

 private:
  const std::vector<ByteRange>& ranges_;
  size_t at_ = 0;
};

}  // namespace

PackRewriter::PackRewriter(Repository& repository, const RewriterOptions& options)
    : repository_(repository),
      filler_({repository.storage(), repository.config(), repository.next_pack_sequence(),
               options.compression, options.threads, [this](const PackContents& pack) {
                 repository_.lookup().add_pack(pack);
                 written_bytes_ += pack.file_bytes;
               }}) {
  repository.require_writer();
}

void PackRewriter::move_chunks(const PackReader& pack, ByteRanges& live,
                               const std::stop_token& stop) {
  const std::vector<BlobEntry> blobs = pack.read_blobs();
  RangeCursor frames_in_use(live.list()), blobs_in_use(live.list());
  for (size_t number = 0; number < pack.frames().size(); ++number) {
    const FrameEntry& frame = pack.frames()[number];
    if (frame.kind != BlobKind::kChunk) continue;
    if (!frames_in_use.meets(frame.logical_start, frame.logical_end())) continue;
    if (stop.stop_requested()) throw Cancelled();
    const RawBuffer raw = pack.read_frame(number);
    const bool in_columns = pack.is_in_columns(number);
    for (uint32_t i = 0; i < frame.blob_count; ++i) {
      const BlobEntry& blob = blobs[frame.first_blob + i];
      if (!blobs_in_use.meets(blob.logical_start, blob.logical_start + blob.length)) continue;
      const ByteView bytes =
          raw.view().subspan(blob.logical_start - frame.logical_start, blob.length);
      if (repository_.key().digest<ChunkId>(bytes).bytes != blob.id.bytes)
        throw CorruptError(fmt::format("{} is damaged: chunk {} is not what its digest says",
                                       pack.name(), blob.id.hex()),
                           "run tsmfs repair");
      move_chunk(pack.header().id, blob, bytes, in_columns);
    }
  }
}

void PackRewriter::move_chunk(const PackId& pack, const BlobEntry& chunk, ByteView bytes,
                              bool was_in_columns) {
  const ChunkId id = ChunkId::from(chunk.id.view());
  const auto start = static_cast<uint32_t>(chunk.logical_start);
  if (const ChunkPlace* known = moved_.find(id); known && known->length == chunk.length) {
    relocation_.add_move(pack, start, chunk.length,
                         {moved_.pack_id(known->pack), known->logical_start});
    return;
  }
  const NewPlace place = filler_.add_chunk(id, bytes, was_in_columns);
  moved_.add(id, {moved_.number_of(place.pack), place.logical_start, chunk.length});
  relocation_.add_move(pack, start, chunk.length, place);
}

void PackRewriter::move_file(const FileId& id) {
  const auto place = repository_.lookup().find_file(id);
  if (!place) return;
  const auto recipe = repository_.objects().read_recipe(id);
  if (relocation_.is_leaving(place->recipe.pack) || relocation_.concerns(*recipe))
    move_recipe(*recipe);
}

bool PackRewriter::improve_file(const FileId& id) {
  const auto recipe = repository_.objects().read_recipe(id);
  const MovedRecipe moved = relocation_.follow(*recipe);
  if (!moved.moved) return false;
  add_recipe(*recipe, moved);
  return true;
}

void PackRewriter::add_recipe(const Recipe& recipe, const MovedRecipe& moved) {
  filler_.add_recipe(
      recipe.file(), moved.recipe.encode(),
      needs_of(moved.recipe.recipe(), [&](const PackId& id) { return will_be_there(id); }));
}

bool PackRewriter::will_be_there(const PackId& pack) const {
  return !is_leaving(pack) && (relocation_.is_target(pack) || repository_.lookup().has_pack(pack));
}

void PackRewriter::move_tree(const TreeId& id) {
  const auto place = repository_.lookup().find_tree(id);
  if (place && relocation_.is_leaving(place->pack))
    filler_.add_tree(id, repository_.objects().read_tree(id));
}

void PackRewriter::add_tree(const TreeId& id, ByteView encoded) {
  filler_.add_tree(id, ByteBuffer(encoded.begin(), encoded.end()));
}

}  // namespace tsmfs::index
