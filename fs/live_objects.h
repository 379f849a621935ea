// Trees and files of a repository that others may be writing to while it is mounted.
//
// A reader's index shows what was there when it last caught up. What is not found, or not where the
// index says, is looked for once more after catching up; only then is it missing.
#pragma once

#include "index/base/bytes.h"
#include "index/base/mutex.h"
#include "index/digest.h"
#include "index/file_reader.h"
#include "index/object_index.h"
#include "index/object_reader.h"

namespace tsmfs::fs {

// Thread safe. Requires: what it is made of outlives it, and it outlives the readers it gives out.
class LiveObjects {
 public:
  LiveObjects(index::ObjectIndex& index, index::ObjectReader& objects)
      : index_(index), objects_(objects) {}
  // The encoded node. Throws: IoError, CorruptError.
  ByteBuffer read_tree(const index::TreeId& id);
  // Throws: IoError, CorruptError.
  index::FileReader open_file(const index::FileId& id);
  // By the newest recipe there is now.
  index::FileReader open_file_anew(const index::FileId& id);

 private:
  void catch_up();
  template <typename Read>
  auto read_or_catch_up(const Read& read);

  index::ObjectIndex& index_;
  index::ObjectReader& objects_;
  Mutex catching_up_;  // the index takes one at a time
};

}  // namespace tsmfs::fs
