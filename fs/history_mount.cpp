#include "fs/history_mount.h"

#include <utility>

namespace tsmfs::fs {

namespace {

constexpr unsigned kReadAheadThreads = 4;

}  // namespace

HistoryMount::HistoryMount(index::Repository& repository, snapshot::Catalog& catalog,
                           const MountOptions& options)
    : trees_([&objects = repository.objects()](const index::TreeId& id) {
        return objects.read_tree(id);
      }),
      history_(catalog, trees_, options.time_format),
      ahead_(options.cache_bytes, kReadAheadThreads),
      session_(history_, repository.objects(), ahead_, options) {}

void HistoryMount::run(const std::stop_token& stop, std::function<void()> on_ready) {
  session_.run(stop, std::move(on_ready));
}

}  // namespace tsmfs::fs
