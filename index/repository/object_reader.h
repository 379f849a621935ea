// Reads what a repository holds, tree nodes and files, by id, while others may be writing to it.
//
// A reader's lookup shows what was there when it last caught up. What is not found, or not where
// the lookup says, is looked for once more after catching up; only then is it missing.
//
// Readers take no lock. A reader whose pack is gone (a prune moved what it held) catches up and
// takes the file's newest recipe; one whose lookup was made again opens the new one. That is done
// here, so it holds for mounts, restores, exports and checks alike.
#pragma once

#include <cstddef>
#include <memory>

#include "index/base/bytes.h"
#include "index/base/mutex.h"
#include "index/format/config.h"
#include "index/format/digest.h"
#include "index/lookup/lookup.h"
#include "index/pack/frame_cache.h"
#include "index/pack/pack_store.h"
#include "index/repository/file_reader.h"

namespace tsmfs::index {

// Thread safe. Requires: `lookup`, `packs` and `config` outlive it, and the readers it gives out do
// not.
class ObjectReader {
 public:
  ObjectReader(Lookup& lookup, PackStore& packs, const Config& config, size_t cache_bytes_max);
  // The encoded node. Throws: IoError; CorruptError when it is absent or its digest is wrong.
  ByteBuffer read_tree(const TreeId& id);
  // Throws: IoError; CorruptError when no recipe of the file is found, or it is another file's.
  std::shared_ptr<const Recipe> read_recipe(const FileId& id);
  // As read_recipe(), after catching up: of one that a prune has moved, the new one.
  std::shared_ptr<const Recipe> read_newest_recipe(const FileId& id);
  // Throws: as read_recipe().
  FileReader open_file(const FileId& id);
  PackStore& packs() { return packs_; }
  FrameCache& frames() { return frames_; }

 private:
  void catch_up();
  template <typename Read>
  auto read_or_catch_up(const Read& read);
  ByteBuffer find_tree(const TreeId& id);
  std::shared_ptr<const Recipe> find_recipe(const FileId& id);
  ByteBuffer read_blob(const BlobPlace& place);

  Lookup& lookup_;
  Mutex catching_up_;  // the lookup takes one at a time
  PackStore& packs_;
  const DigestKey& key_;
  FrameCache frames_;
};

}  // namespace tsmfs::index
