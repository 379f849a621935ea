// Fills packs one after the other with chunks, recipes and tree nodes.
//
//   add_* → the open pack → frames → FramePipeline → durable packs → on_pack
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "index/base/bytes.h"
#include "index/format/config.h"
#include "index/format/digest.h"
#include "index/format/pack_format.h"
#include "index/format/recipe_needs.h"
#include "index/pack/frame_pipeline.h"

namespace tsmfs::index {

struct PackFillerOptions {
  Storage& storage;
  Config config;
  uint64_t first_sequence = 1;  // of the packs to come
  Compression compression;
  unsigned threads = 2;  // that compress
  // Called on a thread of its own for each pack that has become durable, in order.
  std::function<void(PackContents)> on_pack;
};

// Where a blob will be, once its pack is durable.
struct NewPlace {
  PackId pack;
  uint32_t logical_start = 0;
};

// A recipe or a tree node that waits for the end of its pack.
struct SideBlob {
  Id<BlobTag> id;
  ByteBuffer bytes;
};
// The pack that is being filled. Chunks go to the pipeline frame by frame; recipes and trees wait
// for the pack's end, since a chunk's place must be known at once and chunks come first in a pack.
struct OpenPack {
  PackHeader header;
  uint64_t logical_bytes = 0;  // of chunks, those of the open frame included
  size_t chunk_count = 0;
  RawFrame chunks;
  std::vector<SideBlob> recipes, trees;
  size_t side_bytes = 0;
  RecipeLists lists;
};

// Not thread safe. A failure of the threads behind it is thrown by each later call. Destroyed
// before drain(), it abandons the packs that are not durable yet.
class PackFiller {
 public:
  explicit PackFiller(PackFillerOptions options);

  // `was_in_columns`: the chunk comes from a frame in columns, and goes into one.
  NewPlace add_chunk(const ChunkId& id, ByteView bytes, bool was_in_columns = false);
  // Both throw UsageError when `encoded` is larger than a frame can be.
  void add_recipe(const FileId& id, ByteBuffer encoded, const RecipeNeeds& needs);
  void add_tree(const TreeId& id, ByteBuffer encoded);
  // Ends the open pack and waits: on return everything is durable and on_pack has been called.
  void drain();

 private:
  OpenPack& open_pack();
  OpenPack& open_pack_for_side(size_t bytes);
  void add_side(std::vector<SideBlob>& list, SideBlob blob);
  void submit_chunks();
  void submit_side(BlobKind kind, std::vector<SideBlob>& blobs, size_t frame_bytes);
  void end_pack();

  PackFillerOptions options_;
  uint64_t next_sequence_;
  std::optional<OpenPack> pack_;
  FramePipeline pipeline_;  // last: its threads use the rest
};

}  // namespace tsmfs::index
