// A repository, opened: its configuration, its packs, its lookup.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "index/format/config.h"
#include "index/format/digest.h"
#include "index/lookup/lookup.h"
#include "index/pack/pack_store.h"
#include "index/repository/object_reader.h"
#include "index/repository/rebuild.h"
#include "index/repository/repository_place.h"
#include "index/storage/storage.h"
#include "index/storage/writer_lock.h"

namespace tsmfs::index {

// An existing repository's place, for what needs neither packs nor lookup. Throws:
// NoRepositoryError, and what a config that is damaged or of a newer version throws.
RepositoryPlace open_place(const RepositoryLocation& location);

// What a writer is opened for; without changes it looks at what only a writer may look at.
enum class Changes { kWanted, kNone };

// Which repository, and how it is opened: every way of opening takes this.
struct OpenOptions {
  static constexpr size_t kCacheBytesDefault = size_t{64} << 20;

  RepositoryLocation location;
  LockRequest lock = "writing";             // of a writer
  Changes changes = Changes::kWanted;       // of a writer
  size_t cache_bytes = kCacheBytesDefault;  // of decompressed data
};

// Thread safe but for construction. A reader takes no lock and writes nothing inside the
// repository.
class Repository {
 public:
  // Whether one can be made there (Storage::is_vacant).
  static bool is_vacant(const RepositoryLocation& location);
  // Makes an empty repository with a new id and secret, durably; false when another process was
  // faster. Throws: UsageError when the location is not vacant; BusyError.
  static bool create(const OpenOptions& options);
  // Throws: NoRepositoryError; CorruptError when the lookup is missing or damaged (the advice is
  // rebuild-index).
  static std::unique_ptr<Repository> open_reader(const OpenOptions& options);
  // Takes the writer's lock, clears what a killed writer left, and takes
  // up packs that it finished but did not put into the lookup. A lookup that is missing or damaged,
  // or that knows packs that are gone, is rebuilt. A repository of an older format becomes one of
  // today's, with a word of it, unless no changes are wanted. Throws: BusyError naming the holder,
  // and as open_reader.
  static std::unique_ptr<Repository> open_writer(const OpenOptions& options);

  // Makes the lookup again from the packs, under the writer's lock (index/repository/rebuild.h).
  // Throws: as open_writer.
  static AddedPacks rebuild_lookup(const OpenOptions& options);

  Storage& storage() { return *place_.storage; }
  const Storage& storage() const { return *place_.storage; }
  const LocalState& local() const { return place_.local; }
  const Config& config() const { return config_; }
  const DigestKey& key() const { return config_.key; }
  // Throws: InvariantError unless it was opened for writing.
  void require_writer() const;
  // For the next pack that a writer begins: higher than that of any pack that is here, indexed or
  // not, quarantined ones too.
  uint64_t next_pack_sequence() const;
  // Packs that are here and were left out of the lookup as damaged, or came since it was opened.
  std::vector<PackId> unindexed_packs() const;
  // Makes the lookup of a repository opened for writing again from its packs. A failure leaves it
  // without one: nothing may be asked of it then.
  AddedPacks rebuild_own_lookup();
  Lookup& lookup() { return *lookup_; }
  PackStore& packs() { return packs_; }
  ObjectReader& objects() { return objects_; }

 private:
  Repository(RepositoryPlace place, Config config, std::unique_ptr<WriterLock> lock,
             std::unique_ptr<Lookup> lookup, size_t cache_bytes_max);

  RepositoryPlace place_;
  Config config_;
  std::unique_ptr<WriterLock> lock_;  // empty for a reader
  std::unique_ptr<Lookup> lookup_;
  PackStore packs_;
  ObjectReader objects_;
};

}  // namespace tsmfs::index
