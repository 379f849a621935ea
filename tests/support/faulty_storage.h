// A storage of which one call fails: what LD_PRELOAD does to files, for any kind of storage.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "index/storage/storage.h"
#include "tests/support/faults.h"

namespace tsmfs::test {

// Passes every call on, through Faults, which several storages may share. Thread safe.
class FaultyStorage : public index::Storage {
 public:
  FaultyStorage(std::shared_ptr<index::Storage> storage, std::shared_ptr<Faults> faults)
      : storage_(std::move(storage)), faults_(std::move(faults)) {}
  // Requires: `storage` outlives it.
  FaultyStorage(index::Storage& storage, size_t fails, When when)
      : FaultyStorage({&storage, [](auto*) {}}, std::make_shared<Faults>(fails, when)) {}
  bool has_failed() const { return faults_->has_failed(); }

  std::string location() const override { return storage_->location(); }
  std::string location(std::string_view key) const override { return storage_->location(key); }
  bool is_vacant() const override {
    return call("", [&] { return storage_->is_vacant(); });
  }
  void make() override {
    call("", [&] { storage_->make(); });
  }
  void complete() override {
    call("", [&] { storage_->complete(); });
  }
  std::unique_ptr<index::StoredObject> open(const std::string& key) const override {
    auto object = call(key, [&] { return storage_->open(key); });
    if (!object) return nullptr;
    return std::make_unique<FaultyObject>(faults_, storage_->location(key), std::move(object));
  }
  bool has(const std::string& key) const override {
    return call(key, [&] { return storage_->has(key); });
  }
  std::vector<std::string> list(const std::string& folder) const override {
    return call(folder, [&] { return storage_->list(folder); });
  }
  std::optional<std::string> folder_version(const std::string& folder) const override {
    return call(folder, [&] { return storage_->folder_version(folder); });
  }
  std::unique_ptr<index::NewObject> create(const std::string& key) override {
    return std::make_unique<FaultyNewObject>(faults_, storage_->location(key),
                                             call(key, [&] { return storage_->create(key); }));
  }
  void replace(const std::string& key, ByteView bytes) override {
    call(key, [&] { storage_->replace(key, bytes); });
  }
  // Each object is a call of its own.
  void remove(std::span<const std::string> keys) override {
    for (const std::string& key : keys) call(key, [&] { storage_->remove(std::span(&key, 1)); });
  }
  void move(const std::string& from, const std::string& to) override {
    call(from, [&] { storage_->move(from, to); });
  }
  std::unique_ptr<index::WriterLock> lock(const index::LockRequest& request) override {
    return call("", [&] { return storage_->lock(request); });
  }

 private:
  class FaultyObject : public index::StoredObject {
   public:
    FaultyObject(std::shared_ptr<Faults> faults, std::string name,
                 std::unique_ptr<index::StoredObject> object)
        : faults_(std::move(faults)), name_(std::move(name)), object_(std::move(object)) {}
    uint64_t size() const override { return object_->size(); }
    void read(uint64_t offset, MutableByteView out) const override {
      faults_->call(name_, [&] { object_->read(offset, out); });
    }

   private:
    std::shared_ptr<Faults> faults_;
    std::string name_;
    std::unique_ptr<index::StoredObject> object_;
  };
  class FaultyNewObject : public index::NewObject {
   public:
    FaultyNewObject(std::shared_ptr<Faults> faults, std::string name,
                    std::unique_ptr<index::NewObject> object)
        : faults_(std::move(faults)), name_(std::move(name)), object_(std::move(object)) {}
    void write(ByteView bytes) override {
      faults_->call(name_, [&] { object_->write(bytes); });
    }
    void publish() override {
      faults_->call(name_, [&] { object_->publish(); });
    }

   private:
    std::shared_ptr<Faults> faults_;
    std::string name_;
    std::unique_ptr<index::NewObject> object_;
  };

  template <typename Call>
  std::invoke_result_t<Call> call(const std::string& key, const Call& work) const {
    return faults_->call(key.empty() ? location() : location(key), work);
  }

  std::shared_ptr<index::Storage> storage_;
  std::shared_ptr<Faults> faults_;
};

}  // namespace tsmfs::test
