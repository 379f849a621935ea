// The one writer of a repository: takes files and tree nodes, keeps what is new in packs, and makes
// it durable.
//
// All but flush() and construction are thread safe; those belong to the owner. Destroyed
// without flush(), it abandons the open pack: what earlier packs hold stays and is found again by
// the next backup.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "index/base/bytes.h"
#include "index/cut/file_cutter.h"
#include "index/format/byte_source.h"
#include "index/format/digest.h"
#include "index/pack/frame_codec.h"

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
