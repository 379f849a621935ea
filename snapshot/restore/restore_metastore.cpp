#include "snapshot/restore/restore_metastore.h"

#include <fmt/format.h>

#include "index/base/error.h"
#include "snapshot/influxdb/point_times.h"
#include "snapshot/model/stored_shards.h"

namespace tsmfs::snapshot {

std::optional<std::string> metastore_to_restore(index::Repository& repository,
                                                const RestoreRequest& request,
                                                std::vector<std::string>& warnings) {
  const Manifest& snapshot = *request.snapshot;
  if (!request.make_metastore) {
    const auto stored = stored_meta_file(repository, snapshot, "meta.db");
    if (stored) return std::string(as_text(*stored));
    if (request.metadir.empty()) return std::nullopt;
    throw UsageError("the snapshot has no metastore",
                     "--make-metastore derives one from its data; or restore its data alone, with "
                     "--datadir");
  }
  // Of a policy all shards, so that its shard duration is the same whatever is asked for.
  Filter filter = request.choice.filter;
  filter.shard.reset();
  index::ObjectReader& objects = repository.objects();
  PointTimes times = read_point_times(objects, stored_shards(objects, snapshot, filter),
                                      stored_wal(objects, snapshot, filter), request.stop);
  if (times.shards.empty())
    throw UsageError(
        fmt::format("snapshot {} holds no shard{}{}, so no metastore can be made",
                    snapshot.short_id(), filter.is_everything() ? "" : " of ", filter.text()),
        "tsmfs snapshots says what it holds");
  DerivedMetastore derived = derive_metastore(times.shards, request.shard_duration_ns);
  for (auto* problems : {&times.unread, &derived.notes})
    for (const Problem& problem : *problems)
      warnings.push_back(fmt::format("{} {}", problem.path, problem.what));
  return std::move(derived.protobuf);
}

}  // namespace tsmfs::snapshot
