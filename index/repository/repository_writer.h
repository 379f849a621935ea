// The one writer of a repository: takes files and tree nodes, keeps what is new in packs, and makes
// it durable.
//
// All but flush() and construction are thread safe; those belong to the owner. Destroyed
// without flush(), it abandons the open pack: what earlier packs hold stays and is found again by
// the next backup.
//
//   put_file: FileCutter → digests → KnownChunks, Lookup → open frame (PackFiller)
//   FramePipeline: compressing threads → writing thread → pack → lookup
//
// A file known by its digest costs one look-up. A chunk is looked for in KnownChunks, and a hook in
// the lookup, whose hit loads its pack's list into KnownChunks; what is nowhere fills a frame.
// Memory: the known chunks, 64 frames in flight, RocksDB's buffers, and a spool for each file that
// is on its way.
//
// The order in which things become durable: a pack is written under tmp/, synced, renamed, its
// directory synced; then its blobs go into the lookup in one synced batch; when all packs of a run
// are there, the caller publishes its manifest. A crash between two steps leaves chunks that
// nothing refers to; the next writer takes up packs that were finished and not indexed
// (Repository::open_writer), so that a backup that was killed goes on where it was.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "index/base/bytes.h"
#include "index/codec/frame_codec.h"
#include "index/cut/file_cutter.h"
#include "index/format/byte_source.h"
#include "index/format/digest.h"

namespace tsmfs::index {

class Repository;
class Lookup;

struct WriterOptions {
  Compression compression;
  unsigned compression_threads = 2;
};

struct StoredFile {
  FileId id;
  uint64_t size = 0;
  bool already_known = false;  // the whole content was stored before
  uint64_t new_bytes = 0;      // bytes of chunks that were not stored before
  // Why the file is not a sound TSM file; empty for one that is, and for FileKind::kOther.
  std::string tsm_defect;
};

struct WriterTotals {
  uint64_t new_chunk_bytes = 0;  // before compression
  uint64_t stored_bytes = 0;     // growth of packs/, complete after flush()
};

// How much of a file is stored: nothing, not all (a pack that it needs is gone or cannot be opened,
// or its recipe cannot be read), or all.
enum class Holding { kNothing, kPart, kAll };

class RepositoryWriter {
 public:
  // Waits for nothing. Requires: `repository` outlives it and was opened for writing (it holds the
  // writer's lock).
  RepositoryWriter(Repository& repository, const WriterOptions& options);
  ~RepositoryWriter();

  const DigestKey& digest_key() const;
  // A file of `size` bytes that is stored; std::nullopt when it is not, or not whole. One look-up.
  // Throws: IoError, CorruptError.
  std::optional<StoredFile> find_file(const FileId& id, uint64_t size, FileKind kind) const;
  Holding holding_of(const FileId& id) const;
  // Stores what is new of `source`. `id` is the digest of its whole content under digest_key(); a
  // file known by it costs one look-up. Throws: IoError, CorruptError, Cancelled when `stop` is
  // requested.
  StoredFile put_file(ByteSource& source, const FileId& id, FileKind kind,
                      const std::stop_token& stop);
  // Stores an encoded tree node (snapshot/model/tree.h). Requires: what it names is stored.
  TreeId put_tree(ByteView encoded);
  // Whether the node can be read. One that cannot be counts as not stored.
  bool holds_tree(const TreeId& id) const;
  // On return everything put so far is durable and indexed, and may be referenced by a manifest.
  void flush();
  WriterTotals totals() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tsmfs::index
