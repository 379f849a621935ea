#include "snapshot/backup/back_up.h"

#include <algorithm>
#include <set>
#include <utility>

#include "index/base/error.h"
#include "index/repository/open_or_create.h"
#include "snapshot/backup/server_look.h"
#include "snapshot/model/catalog.h"

namespace tsmfs::snapshot {

namespace {

constexpr int64_t kLookAgeMaxNs = 2 * kNanosecondsPerSecond;

std::vector<uint64_t> not_missing(const Manifest& made, const std::set<uint64_t>& accepted) {
  std::vector<uint64_t> found;
  for (const uint64_t shard : accepted)
    if (!made.extent || std::ranges::none_of(made.extent->missing, [&](const auto& missing) {
          return missing.path.shard == shard;
        }))
      found.push_back(shard);
  return found;
}

}  // namespace

BackupResult back_up(BackupRequest request, const std::stop_token& stop) {
  CaptureOptions& options = request.capture;
  InfluxdClient client(request.endpoint, request.connection, stop);
  const Dialect dialect = client.probe();
  options.dialect = dialect_name(dialect);
  if (options.filter.range && dialect == Dialect::k14)
    throw UsageError("this server is too old to export a time range (InfluxDB 1.5 can)",
                     "leave out --start and --end");
  // Before others are kept from writing, and once more when they kept us waiting.
  ServerLook look = look_at_server(client, options.filter);
  const auto repository = index::open_or_create(request.repository, request.on_created);
  if (now().unix_ns - look.time.unix_ns > kLookAgeMaxNs)
    look = look_at_server(client, options.filter);
  index::RepositoryWriter writer(*repository, request.writer);
  Catalog catalog(repository->storage());
  request.on_begin();
  BackupResult result;
  result.captured = capture(client, look, *repository, writer, catalog, options, stop);
  result.not_missing = not_missing(*result.captured.snapshot, options.accept_missing);
  return result;
}

}  // namespace tsmfs::snapshot
