// The lookup: which pack holds a hook (some of the chunks), a recipe, a tree node. It lies in
// RocksDB, in the directory `index/` of a repository (people know it as the index), and is not the
// truth: everything in it can be made again from the packs (index/repository/rebuild.h). Of RocksDB
// know only this, lookup_batch and lookup_database.
//
// Readers open it as RocksDB's secondary instance and catch up. A writer leaves nothing in
// RocksDB's log when it ends, because a reader would replay that at each start.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "index/base/mutex.h"
#include "index/format/digest.h"
#include "index/format/pack_contents.h"
#include "index/format/pack_format.h"

namespace tsmfs::index {

// A pack's number in the lookup: its sequence.
using PackNumber = uint32_t;

// Where a recipe or a tree node is.
struct BlobPlace {
  PackId pack;
  uint32_t logical_start = 0;
  uint32_t length = 0;
};

struct FilePlace {
  BlobPlace recipe;
  bool lossy = false;  // the recipe needs a pack that is gone
};

// What the lookup keeps of a pack.
struct PackRecord {
  PackId id;
  uint64_t file_bytes = 0;
  std::optional<uint64_t> logical_bytes;  // absent in what an earlier program wrote
};

// Of chunks the lookup keeps one in eight, the hooks: a backup that meets one loads the list of its
// pack, where the neighbours are found (Lillibridge et al., "Sparse Indexing: Large Scale, Inline
// Deduplication Using Sampling and Locality", FAST '09). docs/PERFORMANCE.md has what that saves,
// and what it costs.
inline bool is_hook(const ChunkId& id) {
  return (std::to_integer<unsigned>(id.bytes.back()) & 7) == 0;
}

class LookupDatabase;

// Thread safe, but catch_up() and add_pack() each for one thread at a time. RocksDB's errors come
// as IoError or CorruptError.
class Lookup {
 public:
  // For the writer. Creates a lookup when `create` says so and there is none.
  static std::unique_ptr<Lookup> open_primary(const std::filesystem::path& directory, bool create);
  // For a reader, beside a writer or not: sees what was there at the last catch_up(). Writes
  // nothing into `directory`.
  static std::unique_ptr<Lookup> open_secondary(const std::filesystem::path& directory);
  ~Lookup();

  // The pack that holds each chunk, or nothing, in the order of `ids`, which are hooks.
  std::vector<std::optional<PackNumber>> find_hooks(std::span<const ChunkId> ids) const;
  std::optional<FilePlace> find_file(const FileId& id) const;
  std::optional<BlobPlace> find_tree(const TreeId& id) const;
  std::optional<PackRecord> find_pack(PackNumber number) const;
  // Whether the pack is indexed. Requires: opened as primary.
  bool has_pack(const PackId& id) const;
  // The highest; std::nullopt when there are no packs.
  std::optional<PackNumber> last_pack_number() const;
  // In order of their numbers.
  void for_each_pack(const std::function<void(PackNumber, const PackRecord&)>& visit) const;
  // In order of their ids.
  void for_each_file(const std::function<void(const FileId&, const FilePlace&)>& visit) const;
  void for_each_tree(const std::function<void(const TreeId&, const BlobPlace&)>& visit) const;

  // Adds a pack and all that it holds in one step, which is durable on return. What an earlier pack
  // held too is found in this one from now on; but a lossy recipe takes no whole one's place.
  // Requires: opened as primary; the pack is durable. Throws: InvariantError, with nothing added,
  // when a recipe that is not noted as lossy needs a pack that is not indexed.
  void add_pack(const PackContents& pack);
  // Forgets a pack and all that is found in it, in one step, which is durable on return. `blobs`
  // are the pack's; of one whose table cannot be read, none: what is found in it stays then, until
  // the lookup is rebuilt. Requires: opened as primary.
  void remove_pack(PackNumber number, const std::vector<FrameEntry>& frames,
                   const std::vector<BlobEntry>& blobs);
  // Forgets files and tree nodes that no snapshot needs, and notes others as lossy, as `fate_of`
  // and `tree_stays` say. Durable on return; ended in between, some of them. Returns how many were
  // forgotten. Requires: opened as primary.
  enum class FileFate { kStays, kLossy, kGoes };
  size_t settle(const std::function<FileFate(const FileId&)>& fate_of,
                const std::function<bool(const TreeId&)>& tree_stays);
  // Closes the lookup while `work` replaces its directory, then opens what is there. Requires:
  // opened as primary. A failure leaves it closed: nothing may be asked of it then.
  void reopen_after(const std::function<void()>& work);
  // Sees what the writer has changed since, also when it made the lookup again. Does nothing for a
  // primary.
  void catch_up();

 private:
  explicit Lookup(std::shared_ptr<LookupDatabase> database);
  std::shared_ptr<LookupDatabase> database() const { return database_.load(); }
  std::shared_ptr<LookupDatabase> primary() const;
  void learn_packs();

  std::atomic<std::shared_ptr<LookupDatabase>> database_;
  mutable Mutex packs_mutex_;
  std::unordered_set<PackId, IdHash> packs_ TSMFS_GUARDED_BY(packs_mutex_);  // of a primary
};

}  // namespace tsmfs::index
