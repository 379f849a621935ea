// Reads one pack file: its tables, and its frames, each checked. docs/FORMAT.md, "Packs".
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "index/base/bytes.h"
#include "index/format/pack_contents.h"
#include "index/format/pack_format.h"
#include "index/storage/storage.h"

namespace tsmfs::index {

// Thread safe (immutable).
class PackReader {
 public:
  // Reads header, trailer and frame table. Throws: IoError; MissingError when there is no such
  // pack; CorruptError (also when the pack is not the one its key says, or of another repository).
  PackReader(const Storage& storage, const PackId& id, const RepositoryId& repository);

  const PackHeader& header() const { return header_; }
  const std::vector<FrameEntry>& frames() const { return frames_; }
  uint64_t file_bytes() const { return object_->size(); }
  uint64_t logical_bytes() const { return frames_.empty() ? 0 : frames_.back().logical_end(); }
  // The frame that holds a logical byte. Throws: CorruptError when there is none.
  size_t frame_at(uint64_t logical_offset) const;
  // A frame's raw bytes. Throws: IoError, CorruptError.
  RawBuffer read_frame(size_t number) const;
  // The same, into a buffer of frames()[number].raw_length.
  void read_frame(size_t number, MutableByteView out) const;
  // Whether some of the frame is in columns (index/codec/mixed_frame.h). Throws: as read_frame().
  bool is_in_columns(size_t number) const;
  // Reads and checks the blob table, which is not kept.
  std::vector<BlobEntry> read_blobs() const;
  const std::string& name() const { return name_; }

 private:
  struct StoredBytes {
    Codec codec;
    ByteView bytes;  // good until the thread reads another frame
  };
  StoredBytes read_stored(size_t number) const;

  std::string name_;  // "pack <id>", for messages
  std::unique_ptr<StoredObject> object_;
  PackHeader header_;
  PackTrailer trailer_;
  std::vector<FrameEntry> frames_;
};

// All that the lookup wants to know of a pack. Reads its recipes for the packs they need: one that
// needs another pack of which `is_present` says no is lossy.
PackContents read_pack_contents(const PackReader& pack,
                                const std::function<bool(const PackId&)>& is_present);

}  // namespace tsmfs::index
