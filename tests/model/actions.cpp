#include "tests/model/actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "index/base/error.h"
#include "index/base/file.h"
#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "snapshot/backup/capture.h"
#include "snapshot/import/import.h"
#include "snapshot/upkeep/copier.h"
#include "snapshot/upkeep/prune.h"
#include "snapshot/upkeep/repair.h"
#include "tests/support/repository_paths.h"
#include "tests/support/store_fixture.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::model {

namespace {

constexpr int64_t kFirstHour = 490'000;  // of the snapshots' times, since 1970

// As the commands end with a status of its own then.
void require_readable_list(const snapshot::CatalogState& state) {
  if (!state.is_sound()) throw CorruptError("not all of the catalog could be read");
}

struct Opened {
  explicit Opened(const std::filesystem::path& root)
      : repository(index::Repository::open_writer({root, "model"})),
        catalog(repository->storage()) {
    require_readable_list(*catalog.refresh());
  }
  std::unique_ptr<index::Repository> repository;
  snapshot::Catalog catalog;
};

void require_complete(bool complete) {
  if (!complete) throw CorruptError("the snapshot is incomplete");
}

}  // namespace

void create_repositories(const Places& places, uint64_t seed) {
  for (unsigned number = 0; number < 2; ++number) {
    const auto root = places.repository(number);
    index::Repository::create({root});
    const auto path = test::RepositoryPaths(root).config();
    index::Config config = index::decode_config(read_whole_file(path, 1 << 20), path.string());
    config.pack_bytes = uint64_t{64 << 10} << seed % 5;
    config.frame_bytes = 4096u << seed / 5 % 4;
    std::ofstream(path) << index::encode_config(config);
  }
}

void import_data_dir(const Places& places, unsigned server, const std::string& tag, int64_t hour) {
  const auto dir = snapshot::read_data_dir({places.data_dir() / server_name(server), {}, {}});
  Opened opened(places.repository(0));
  index::RepositoryWriter writer(*opened.repository, {});
  snapshot::ImportTarget target{*opened.repository, writer, opened.catalog};
  snapshot::ImportOptions options;
  options.server = server_name(server);
  options.tags = {tag};
  options.time = Timestamp{(kFirstHour + hour) * 3600 * 1'000'000'000};
  require_complete(snapshot::import_data_dir(dir, options, target, {}));
}

void back_up(const Places& places, unsigned server, const Server& state, const std::string& tag) {
  support::FakeInfluxd fake(snapshot::Dialect::k15);
  snapshot::ServerState told;
  for (unsigned shard = 0; shard < kShards; ++shard)
    for (const auto& [name, number] : state.shards[shard])
      told.shards[shard_path(shard)][name] = content(number);
  told.tell(fake);
  Opened opened(places.repository(0));
  index::RepositoryWriter writer(*opened.repository, {});
  constexpr snapshot::milliseconds kPatience{20'000};
  snapshot::InfluxdClient client(fake.endpoint(), {{kPatience, kPatience}, kPatience}, {});
  client.probe();
  snapshot::CaptureOptions options;
  options.server = server_name(server);
  options.dialect = "influxd 1.5+";
  options.retry = snapshot::hasty_retry();
  options.tags = {tag};
  const auto made = snapshot::capture(client, snapshot::look_at_server(client, options.filter),
                                      *opened.repository, writer, opened.catalog, options, {})
                        .snapshot;
  require_complete(!made->incomplete());
}

void pin(const Places& places, const std::string& tag, bool pinned) {
  Opened opened(places.repository(0));
  for (const auto& one : opened.catalog.state()->snapshots) {
    if (!one->has_tag(tag)) continue;
    snapshot::Manifest manifest = *one;
    manifest.tags = {tag};
    if (pinned) manifest.tags.emplace_back(snapshot::kPinTag);
    opened.catalog.amend(manifest);
  }
}

void forget(const Places& places, const std::vector<std::string>& tags) {
  Opened opened(places.repository(0));
  std::vector<snapshot::SnapshotPtr> chosen;
  for (const auto& one : opened.catalog.state()->snapshots)
    if (std::ranges::find(tags, one->tags.at(0)) != tags.end()) chosen.push_back(one);
  opened.catalog.remove(chosen);
}

void prune(const Places& places, double max_unused, bool accept_loss) {
  Opened opened(places.repository(0));
  snapshot::PruneOptions options;
  options.max_unused = max_unused;
  options.accept_loss = accept_loss;
  snapshot::prune_repository(*opened.repository, opened.catalog, options, {});
}

void copy(const Places& places, unsigned from, unsigned to, const Answer& answer) {
  const auto source = index::Repository::open_reader({places.repository(from)});
  snapshot::Catalog source_catalog(source->storage());
  const auto state = source_catalog.refresh();
  require_readable_list(*state);
  const auto snapshots = state->snapshots;
  Opened target(places.repository(to));
  index::RepositoryWriter writer(*target.repository, {});
  snapshot::Copier copier(*source, *target.repository, writer, target.catalog, {});
  snapshot::SnapshotPtr last, last_copy;
  for (const auto& one : snapshots) {
    if (const auto there = copier.find_copy(*one)) {
      last = one;
      last_copy = there;
      continue;
    }
    if (last) copier.learn(*last, *last_copy);
    last.reset();
    try {
      copier.copy(*one);
    } catch (const CorruptError&) {
      answer("not copied " + one->tags.at(0));
    }
  }
}

void repair(const Places& places) {
  Opened opened(places.repository(0));
  snapshot::repair_repository(*opened.repository, {}, {});
}

void damage_pack(const Places& places, uint32_t which, uint32_t where) {
  std::vector<std::filesystem::path> packs = test::pack_files(places.repository(0));
  if (packs.empty()) return;
  std::ranges::sort(packs);
  const auto path = packs[which % packs.size()];
  const uint64_t size = std::filesystem::file_size(path);
  // Every fourth time the end, where the tables are.
  const uint64_t offset =
      where % 4 == 0 ? size - 1 - where / 4 % std::min<uint64_t>(size, 400) : where % size;
  test::flip_byte(path, offset);
}

void rebuild(const Places& places) {
  index::Repository::rebuild_lookup({places.repository(0), "model"});
}

}  // namespace tsmfs::model
