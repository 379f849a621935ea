// A storage of which one call fails: what LD_PRELOAD does to files, for any kind of storage.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "index/base/error.h"
#include "index/storage/storage.h"

namespace tsmfs::test {

// Fails the call of that number (from 1), once: before it has done anything, or after it has done
// all, as when an answer is lost on its way. Thread safe. Requires: `storage` outlives it.
class FaultyStorage : public index::Storage {
 public:
  enum class When { kBefore, kAfter };

  FaultyStorage(index::Storage& storage, size_t fails, When when)
      : storage_(storage), fails_(fails), when_(when) {}
  // Whether the call came.
  bool has_failed() const { return calls_ >= fails_; }

  std::string location() const override { return storage_.location(); }
  std::string location(std::string_view key) const override { return storage_.location(key); }
  bool is_vacant() const override {
    return call([&] { return storage_.is_vacant(); });
  }
  void make() override {
    call([&] { storage_.make(); });
  }
  void complete() override {
    call([&] { storage_.complete(); });
  }
  std::unique_ptr<index::StoredObject> open(const std::string& key) const override {
    auto object = call([&] { return storage_.open(key); });
    if (!object) return nullptr;
    return std::make_unique<FaultyObject>(*this, std::move(object));
  }
  bool has(const std::string& key) const override {
    return call([&] { return storage_.has(key); });
  }
  std::vector<std::string> list(const std::string& folder) const override {
    return call([&] { return storage_.list(folder); });
  }
  std::optional<std::string> folder_version(const std::string& folder) const override {
    return call([&] { return storage_.folder_version(folder); });
  }
  std::unique_ptr<index::NewObject> create(const std::string& key) override {
    return std::make_unique<FaultyNewObject>(*this, call([&] { return storage_.create(key); }));
  }
  void replace(const std::string& key, ByteView bytes) override {
    call([&] { storage_.replace(key, bytes); });
  }
  // Each object is a call of its own.
  void remove(std::span<const std::string> keys) override {
    for (const std::string& key : keys) call([&] { storage_.remove(std::span(&key, 1)); });
  }
  void move(const std::string& from, const std::string& to) override {
    call([&] { storage_.move(from, to); });
  }

  std::unique_ptr<index::WriterLock> lock(const index::LockRequest& request) override {
    return call([&] { return storage_.lock(request); });
  }

 private:
  class FaultyObject : public index::StoredObject {
   public:
    FaultyObject(const FaultyStorage& faults, std::unique_ptr<index::StoredObject> object)
        : faults_(faults), object_(std::move(object)) {}
    uint64_t size() const override { return object_->size(); }
    void read(uint64_t offset, MutableByteView out) const override {
      faults_.call([&] { object_->read(offset, out); });
    }

   private:
    const FaultyStorage& faults_;
    std::unique_ptr<index::StoredObject> object_;
  };
  class FaultyNewObject : public index::NewObject {
   public:
    FaultyNewObject(const FaultyStorage& faults, std::unique_ptr<index::NewObject> object)
        : faults_(faults), object_(std::move(object)) {}
    void write(ByteView bytes) override {
      faults_.call([&] { object_->write(bytes); });
    }
    void publish() override {
      faults_.call([&] { object_->publish(); });
    }

   private:
    const FaultyStorage& faults_;
    std::unique_ptr<index::NewObject> object_;
  };

  template <typename Call>
  std::invoke_result_t<Call> call(const Call& work) const {
    const bool fails = ++calls_ == fails_;
    if (fails && when_ == When::kBefore) throw IoError("a fault", EIO);
    if constexpr (std::is_void_v<std::invoke_result_t<Call>>) {
      work();
      if (fails) throw IoError("a fault", EIO);
    } else {
      auto result = work();
      if (fails) throw IoError("a fault", EIO);
      return result;
    }
  }

  index::Storage& storage_;
  size_t fails_;
  When when_;
  mutable std::atomic<size_t> calls_ = 0;
};

// Calls `attempt` with a storage whose first call fails, then one whose second fails, and so on
// until none has failed, each time before and after the call has done its work. `attempt` makes
// what it works on anew each time.
template <typename Attempt>
void with_each_fault(const Attempt& attempt) {
  for (const auto when : {FaultyStorage::When::kBefore, FaultyStorage::When::kAfter})
    for (size_t fails = 1; attempt(fails, when); ++fails) {
    }
}

}  // namespace tsmfs::test
