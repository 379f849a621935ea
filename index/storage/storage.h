// Where a repository's objects lie: its config, packs and manifests, and what repair took out of
// the way. What can be made again, or is of one machine only, is local state
// (index/storage/local_state.h).
//
// An object is written whole or not at all, and never changed afterwards. Its key is parts joined
// by '/', of letters, digits and "-_."; parts that begin with a dot there are none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/bytes.h"
#include "index/storage/writer_lock.h"

namespace tsmfs::index {

// An object open for reading. Thread safe.
class StoredObject {
 public:
  virtual ~StoredObject() = default;
  virtual uint64_t size() const = 0;
  // Fills `out`. Throws: IoError; CorruptError when the object ends before that.
  virtual void read(uint64_t offset, MutableByteView out) const = 0;
};

// An object that is being written, piece by piece. Not thread safe. Destroyed unpublished, it was
// never there.
class NewObject {
 public:
  virtual ~NewObject() = default;
  virtual void write(ByteView bytes) = 0;
  // Gives it its key; durable on return. Throws: IoError (EEXIST when an object has that key).
  virtual void publish() = 0;
};

// All functions throw IoError, and each is for several threads at once. That there is no such
// object is no error but an answer; whatever else is in the way is no answer. What may pass is
// tried again first. EIO of a read says that the bytes are damaged (is_damage() in
// index/base/directory.h); a storage that cannot be reached fails with another errno.
class Storage {
 public:
  virtual ~Storage() = default;
  // What people know it by: a directory, an URL; with a key, an object of it.
  virtual std::string location() const = 0;
  virtual std::string location(std::string_view key) const = 0;

  // Whether a repository can be made here: there is nothing, or what a creation that was cut short
  // has left; never anything of somebody else.
  virtual bool is_vacant() const = 0;
  // Durably makes what has to be here before the lock is taken and objects are put. Throws also:
  // UsageError when it is not vacant.
  virtual void make() = 0;
  // Makes again what of that a copy of the repository may lack.
  virtual void complete() = 0;

  // Null when there is none. Throws: CorruptError when something else is in its place.
  virtual std::unique_ptr<StoredObject> open(const std::string& key) const = 0;
  virtual bool has(const std::string& key) const = 0;
  // The key of each object whose key begins with `folder` and a '/', sorted; none when there is no
  // such folder.
  virtual std::vector<std::string> list(const std::string& folder) const = 0;
  // Another one when an object right in the folder came or went since. Nothing while that cannot be
  // told.
  virtual std::optional<std::string> folder_version(const std::string& folder) const = 0;

  virtual std::unique_ptr<NewObject> create(const std::string& key) = 0;
  // Durably puts a small object in the place of the one of that key, if there is one. Only for
  // what an earlier format of the repository wants changed.
  virtual void replace(const std::string& key, ByteView bytes) = 0;
  // Those that are not there are none to remove. Durable on return; ended in between, some of them.
  virtual void remove(std::span<const std::string> keys) = 0;
  // Gives an object another key, in the place of one that has it. Durable on return.
  virtual void move(const std::string& from, const std::string& to) = 0;

  // Keeps other writers out, readers never. Throws also: BusyError saying who holds it, for what,
  // and since when; Cancelled when a stop is requested while it waits.
  virtual std::unique_ptr<WriterLock> lock(const LockRequest& request) = 0;

  // One that has to be there. Throws: IoError (ENOENT) when it is not.
  std::unique_ptr<StoredObject> open_existing(const std::string& key) const;
  // A small object as a whole; nothing when there is none. Throws: CorruptError when it is larger
  // than `bytes_max`.
  std::optional<std::string> get(const std::string& key, uint64_t bytes_max) const;
  void put(const std::string& key, ByteView bytes);
};

}  // namespace tsmfs::index
