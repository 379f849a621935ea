// Moves what is in use out of packs that are to go, into new packs.
//
// Live chunks are copied, each checked, and the recipes written anew that named the old packs; only
// when all that is durable and indexed, an old pack leaves the lookup, then the disk. Killed in
// between, the next writer takes up what lies there.
#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>

#include "index/codec/frame_codec.h"
#include "index/format/digest.h"
#include "index/lookup/known_chunks.h"
#include "index/pack/pack_filler.h"
#include "index/repository/repository.h"
#include "index/rewrite/live_ranges.h"
#include "index/rewrite/relocation.h"

namespace tsmfs::index {

struct RewriterOptions {
  Compression compression;
  unsigned threads = 2;
};

// Call add_leaving for all packs that are to go, then move_chunks for each of them, then move_file
// and move_tree for all that is to stay, then finish. Not thread safe. Requires: the repository
// outlives it and was opened for writing.
class PackRewriter {
 public:
  PackRewriter(Repository& repository, const RewriterOptions& options);

  void add_leaving(const PackId& pack) { relocation_.add_leaving(pack); }
  bool is_leaving(const PackId& pack) const { return relocation_.is_leaving(pack); }
  // Moves the chunks of a leaving pack of which a byte is in `live`. Throws: CorruptError when one
  // of them is not what its digest says.
  void move_chunks(const PackReader& pack, ByteRanges& live, const std::stop_token& stop);
  // Moves a chunk that was saved from a leaving pack in another way.
  void move_chunk(const PackId& pack, const BlobEntry& chunk, ByteView bytes,
                  bool was_in_columns = false);
  // Says that bytes of a leaving pack are in another pack already (see Relocation::add_move).
  void add_move(const PackId& pack, uint32_t start, uint32_t length, const NewPlace& place) {
    relocation_.add_move(pack, start, length, place);
  }
  // Writes the file's recipe anew when it lies in a leaving pack or copies from one. Throws:
  // CorruptError.
  void move_file(const FileId& id);
  // The same for a recipe at hand.
  void move_recipe(const Recipe& recipe) { add_recipe(recipe, relocation_.follow(recipe)); }
  // Writes the file's recipe anew when some of what it copies from leaving packs was found
  // elsewhere; says whether.
  bool improve_file(const FileId& id);
  // Writes the node anew when it lies in a leaving pack. Throws: CorruptError.
  void move_tree(const TreeId& id);
  // Writes a node anew that was saved from a leaving pack in another way.
  void add_tree(const TreeId& id, ByteView encoded);
  // On return all that was moved is durable and indexed, and nothing that the lookup names lies in
  // a leaving pack, but for what was not moved.
  void finish() { filler_.drain(); }
  uint64_t written_bytes() const { return written_bytes_; }  // complete after finish()

 private:
  void add_recipe(const Recipe& recipe, const MovedRecipe& moved);
  bool will_be_there(const PackId& pack) const;

  Repository& repository_;
  Relocation relocation_;
  KnownChunks moved_;  // so that what two leaving packs hold is written once
  std::atomic<uint64_t> written_bytes_ = 0;
  PackFiller filler_;  // last: its threads use the rest
};

}  // namespace tsmfs::index
