// A repository's objects in memory: the second implementation that holds the contract of Storage to
// what it says.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "index/base/error.h"
#include "index/base/mutex.h"
#include "index/storage/storage.h"

namespace tsmfs::test {

// Bytes that are an object.
class MemoryObject : public index::StoredObject {
 public:
  explicit MemoryObject(std::shared_ptr<const std::string> bytes) : bytes_(std::move(bytes)) {}
  explicit MemoryObject(std::string bytes)
      : MemoryObject(std::make_shared<const std::string>(std::move(bytes))) {}
  uint64_t size() const override { return bytes_->size(); }
  void read(uint64_t offset, MutableByteView out) const override {
    if (offset > bytes_->size() || out.size() > bytes_->size() - offset)
      throw CorruptError("an object ends before the bytes that are wanted");
    if (!out.empty()) std::memcpy(out.data(), bytes_->data() + offset, out.size());
  }

 private:
  std::shared_ptr<const std::string> bytes_;
};

// Thread safe. An object that is open is read on when it is removed.
class MemoryStorage : public index::Storage {
 public:
  using Objects = std::map<std::string, std::shared_ptr<const std::string>>;

  explicit MemoryStorage(Objects objects = {}) : objects_(std::move(objects)) {}
  Objects objects() const {
    MutexLock lock(mutex_);
    return objects_;
  }

  std::string location() const override { return "memory"; }
  std::string location(std::string_view key) const override { return "memory/" + std::string(key); }
  bool is_vacant() const override {
    MutexLock lock(mutex_);
    return objects_.empty();
  }
  void make() override {
    if (!is_vacant()) throw UsageError("something is in the memory already");
  }
  void complete() override {}
  std::unique_ptr<index::StoredObject> open(const std::string& key) const override {
    MutexLock lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) return nullptr;
    return std::make_unique<MemoryObject>(found->second);
  }
  bool has(const std::string& key) const override {
    MutexLock lock(mutex_);
    return objects_.contains(key);
  }
  std::vector<std::string> list(const std::string& folder) const override {
    MutexLock lock(mutex_);
    std::vector<std::string> keys;
    for (const auto& [key, bytes] : objects_)
      if (key.starts_with(folder + "/")) keys.push_back(key);
    return keys;
  }
  std::optional<std::string> folder_version(const std::string& folder) const override {
    std::string keys;
    for (const std::string& key : list(folder)) keys += key + "\n";
    return keys;
  }
  std::unique_ptr<index::NewObject> create(const std::string& key) override {
    return std::make_unique<New>(*this, key);
  }
  void replace(const std::string& key, ByteView bytes) override {
    MutexLock lock(mutex_);
    objects_[key] = std::make_shared<const std::string>(as_text(bytes));
  }
  void remove(std::span<const std::string> keys) override {
    MutexLock lock(mutex_);
    for (const std::string& key : keys) objects_.erase(key);
  }
  void move(const std::string& from, const std::string& to) override {
    MutexLock lock(mutex_);
    const auto found = objects_.find(from);
    if (found == objects_.end()) throw IoError("cannot move " + from, ENOENT);
    objects_[to] = std::move(found->second);
    objects_.erase(from);
  }

  // Of this process.
  std::unique_ptr<index::WriterLock> lock(const index::LockRequest& request) override {
    const auto deadline = std::chrono::steady_clock::now() + request.wait;
    while (locked_.exchange(true)) {
      if (request.stop.stop_requested()) throw Cancelled();
      if (std::chrono::steady_clock::now() >= deadline) throw BusyError("it is in use", "wait");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return std::make_unique<Lock>(locked_);
  }

 private:
  class Lock : public index::WriterLock {
   public:
    explicit Lock(std::atomic<bool>& locked) : locked_(locked) {}
    ~Lock() override { locked_ = false; }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    std::atomic<bool>& locked_;
  };
  class New : public index::NewObject {
   public:
    New(MemoryStorage& storage, std::string key) : storage_(storage), key_(std::move(key)) {}
    void write(ByteView bytes) override { bytes_ += as_text(bytes); }
    void publish() override {
      MutexLock lock(storage_.mutex_);
      if (storage_.objects_.contains(key_)) throw IoError("cannot make " + key_, EEXIST);
      storage_.objects_[key_] = std::make_shared<const std::string>(std::move(bytes_));
    }

   private:
    MemoryStorage& storage_;
    std::string key_, bytes_;
  };

  std::atomic<bool> locked_ = false;
  mutable Mutex mutex_;
  Objects objects_ TSMFS_GUARDED_BY(mutex_);
};

}  // namespace tsmfs::test
