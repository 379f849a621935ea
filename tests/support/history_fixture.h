// A repository with a history made by hand, and the views over it.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fs/history_view.h"
#include "fs/tree_cache.h"
#include "index/format/object_keys.h"
#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/tree_store.h"
#include "tests/support/store_fixture.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::test {

// Path below the root → content. A path that ends in "/" is an empty directory.
using Files = std::map<std::string, std::string>;

constexpr int64_t kSecondNs = 1'000'000'000;

class HistoryFixture {
 public:
  HistoryFixture() {
    index::Repository::create({dir_ / "repo"});
    repository_ = index::Repository::open_writer({dir_ / "repo", "test"});
    catalog_ = std::make_unique<snapshot::Catalog>(repository_->storage());
    trees_ = std::make_unique<fs::TreeCache>(
        [this](const index::TreeId& id) { return objects().read_tree(id); });
    // Of its own, so that the view has to find out about new snapshots.
    seen_catalog_ = std::make_unique<snapshot::Catalog>(repository_->storage());
    history_ = std::make_unique<fs::HistoryView>(*seen_catalog_, *trees_);
  }

  snapshot::SnapshotPtr add(int64_t seconds, const std::string& server, const Files& data,
                            const Files& meta = {}) {
    index::RepositoryWriter writer(*repository_, {});
    snapshot::Manifest manifest;
    manifest.id = index::random_id<index::SnapshotId>();
    manifest.time.unix_ns = seconds * kSecondNs;
    manifest.server = server;
    const auto data_tree = store(writer, data, "");
    const auto meta_tree = store(writer, meta, "");
    manifest.data = data_tree.id;
    manifest.meta = meta_tree.id;
    manifest.data_below = data_tree.totals.below;
    manifest.meta_below = meta_tree.totals.below;
    manifest.bytes = data_tree.totals.size;
    for (const auto& [name, content] : data)
      if (name.back() != '/') ++manifest.files;
    manifest.parent = next_parent_;
    next_parent_.reset();
    writer.flush();
    return catalog_->publish(std::move(manifest));
  }
  // The parent that the next snapshot names.
  void set_next_parent(const index::SnapshotId& parent) { next_parent_ = parent; }
  void forget(const snapshot::SnapshotPtr& snapshot) {
    std::filesystem::remove(repository_->local().root() / index::snapshot_key(snapshot->id));
    catalog_->refresh();
  }
  // A view that knows nothing yet, over caches that hold nothing, as after a remount.
  void remount() {
    seen_catalog_ = std::make_unique<snapshot::Catalog>(repository_->storage());
    trees_ = std::make_unique<fs::TreeCache>(
        [this](const index::TreeId& id) { return objects().read_tree(id); });
    history_ = std::make_unique<fs::HistoryView>(*seen_catalog_, *trees_);
  }

  fs::HistoryView& history() { return *history_; }
  index::Repository& repository() { return *repository_; }
  index::ObjectReader& objects() { return repository_->objects(); }
  const TempDir& dir() const { return dir_; }

 private:
  // The files whose path begins with `prefix`, as a directory.
  snapshot::StoredTree store(index::RepositoryWriter& writer, const Files& files,
                             const std::string& prefix) {
    std::map<Name, snapshot::TreeEntry> entries;
    for (const auto& [path, content] : files) {
      if (!path.starts_with(prefix) || path == prefix) continue;
      const std::string rest = path.substr(prefix.size());
      const size_t slash = rest.find('/');
      const Name name = Name::require(rest.substr(0, slash), "the test");
      if (entries.contains(name)) continue;
      if (slash != std::string::npos) {
        entries.emplace(name, snapshot::directory_entry(
                                  name, store(writer, files, prefix + name.text() + "/")));
      } else {
        const auto file = put(writer, as_bytes(content), index::FileKind::kOther);
        entries.emplace(name, snapshot::TreeEntry{name,
                                                  snapshot::EntryKind::kFile,
                                                  0644,
                                                  {1'454'349'756'123'456'789},
                                                  content.size(),
                                                  0,
                                                  file.id});
      }
    }
    std::vector<snapshot::TreeEntry> list;
    for (auto& [name, entry] : entries) list.push_back(std::move(entry));
    return snapshot::store_tree(writer, std::move(list));
  }

  TempDir dir_;
  std::unique_ptr<index::Repository> repository_;
  std::unique_ptr<snapshot::Catalog> catalog_;
  std::unique_ptr<snapshot::Catalog> seen_catalog_;
  std::unique_ptr<fs::TreeCache> trees_;
  std::unique_ptr<fs::HistoryView> history_;
  std::optional<index::SnapshotId> next_parent_;
};

}  // namespace tsmfs::test
