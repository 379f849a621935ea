// Writes the repository that later versions of tsmfs must be able to read, and what is in it.
//
//   make_image [--compression columns] DIRECTORY
//
//   DIRECTORY: a repository without its index; DIRECTORY.sha256: a line a file, as of sha256sum
//
// With --compression, as tsmfs has it, there are TSM files of points beside the others. All is the
// same on each run but for the ids of the packs. Both outputs must be absent before.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/file.h"
#include "index/format/config.h"
#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/tree_store.h"
#include "tests/format/sample_history.h"
#include "tests/format/sample_points.h"
#include "tests/format/sha256.h"
#include "tests/support/repository_paths.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::test {
namespace {

namespace stdfs = std::filesystem;

constexpr uint32_t kFrameBytes = 32 << 10;
constexpr uint64_t kPackBytes = 128 << 10;

// A repository of a known identity and secret, with frames and packs so small that there are
// several.
void create_repository(const stdfs::path& root) {
  index::Repository::create({root});
  const test::RepositoryPaths paths(root);
  index::DigestKey::Secret secret;
  const ByteBuffer bytes = random_bytes(secret.size(), 201);
  std::copy(bytes.begin(), bytes.end(), secret.begin());
  index::Config config{index::RepositoryId::from(random_bytes(index::kIdBytes, 202)),
                       index::DigestKey(secret), parse_rfc3339("2026-01-01T00:00:00Z"), kFrameBytes,
                       kPackBytes};
  index::bring_up_to_date(config);
  stdfs::remove(paths.config());
  std::ofstream(paths.config(), std::ios::binary) << index::encode_config(config);
  stdfs::remove_all(paths.lookup());
}

class ImageWriter {
 public:
  ImageWriter(const stdfs::path& root, const index::Compression& compression)
      : repository_(index::Repository::open_writer({root, "make_image"})),
        catalog_(repository_->storage()),
        compression_(compression) {}

  // Lines for the list of digests.
  std::string add(const SampleSnapshot& sample) {
    lines_.clear();
    prefix_ = sample.id.hex();
    totals_ = {};
    index::RepositoryWriter writer(*repository_, {.compression = compression_});
    std::map<snapshot::ShardPath, std::vector<snapshot::TreeEntry>> shards;
    for (const auto& [path, files] : sample.shards)
      shards[path] = store(writer, files, "data/" + path.text());
    const snapshot::StoredTree data = snapshot::store_data_tree(writer, shards);
    const snapshot::StoredTree meta =
        snapshot::store_tree(writer, store(writer, sample.meta, "meta"));
    writer.flush();
    snapshot::Manifest manifest = describe(sample, data, meta);
    manifest.stored_bytes = writer.totals().stored_bytes;
    last_ = catalog_.publish(std::move(manifest));
    return lines_;
  }
  // What is said of the last snapshot later, twice.
  void amend_last() {
    snapshot::Manifest amended = *last_;
    for (const char* tag : {"wrong", "keep"}) {
      amended.tags = {tag, "größe 1"};
      catalog_.amend(amended);
    }
  }
  void forget_another() {
    snapshot::Manifest manifest = *last_;
    manifest.id = index::random_id<index::SnapshotId>();
    catalog_.remove({catalog_.publish(std::move(manifest))});
  }

 private:
  struct Totals {
    uint64_t files = 0, new_bytes = 0;
  };

  std::vector<snapshot::TreeEntry> store(index::RepositoryWriter& writer,
                                         const std::vector<SampleFile>& files,
                                         const std::string& path) {
    std::vector<snapshot::TreeEntry> entries;
    for (const SampleFile& file : files) {
      const index::StoredFile stored = put(writer, file.content, file.kind);
      if (!stored.already_known && stored.tsm_defect.empty() != file.sound)
        throw std::runtime_error(
            fmt::format("{}/{}: sound or not? \"{}\"", path, file.name, stored.tsm_defect));
      totals_.new_bytes += stored.new_bytes;
      entries.push_back({Name::require(file.name, path), snapshot::EntryKind::kFile, file.mode,
                         file.mtime, stored.size, 0, stored.id});
      lines_ += fmt::format("{}  {}/{}/{}\n", sha256_hex(file.content), prefix_, path, file.name);
    }
    return entries;
  }

  snapshot::Manifest describe(const SampleSnapshot& sample, const snapshot::StoredTree& data,
                              const snapshot::StoredTree& meta) const {
    snapshot::Manifest manifest;
    manifest.id = sample.id;
    manifest.time = sample.time;
    manifest.finished = {sample.time.unix_ns + 1'500'000'000};
    manifest.server = "Größe 1.example";
    manifest.address = "127.0.0.1:8088";
    manifest.dialect = "influxd 1.5+";
    manifest.program = "tsmfs make_image";
    if (last_) manifest.parent = last_->id;
    manifest.data = data.id;
    manifest.meta = meta.id;
    manifest.data_below = data.totals.below;
    manifest.meta_below = meta.totals.below;
    manifest.databases = sample.databases;
    manifest.shards = sample.shards.size();
    for (const auto& [path, files] : sample.shards) manifest.files += files.size();
    manifest.bytes = data.totals.size;
    manifest.new_bytes = totals_.new_bytes;
    manifest.problems = sample.problems;
    return manifest;
  }

  std::unique_ptr<index::Repository> repository_;
  snapshot::Catalog catalog_;
  index::Compression compression_;
  snapshot::SnapshotPtr last_;
  std::string prefix_, lines_;
  Totals totals_;
};

// What any writer makes again, and what git could not keep: empty directories.
void remove_what_is_no_truth(const test::RepositoryPaths& paths) {
  for (const auto& path : {paths.lookup(), paths.locks(), paths.tmp()}) stdfs::remove_all(path);
}

void make_image(const stdfs::path& root, const std::vector<SampleSnapshot>& history,
                const index::Compression& compression) {
  const stdfs::path list = root.string() + ".sha256";
  if (stdfs::exists(root) || stdfs::exists(list))
    throw std::runtime_error(root.string() + " or its list is there already");
  create_repository(root);
  std::string lines;
  {
    ImageWriter writer(root, compression);
    for (const SampleSnapshot& sample : history) lines += writer.add(sample);
    writer.amend_last();
    writer.forget_another();
  }
  remove_what_is_no_truth(test::RepositoryPaths(root));
  std::ofstream(list, std::ios::binary) << lines;
}

void make_image(const std::vector<std::string_view>& arguments) {
  if (arguments.size() == 1)
    make_image(arguments[0], sample_history(), {});
  else
    make_image(arguments[2], sample_history_with_points(stdfs::path(TSMFS_IMAGES) / "tsm"),
               index::Compression::parse(arguments[1]));
}

}  // namespace
}  // namespace tsmfs::test

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  if (arguments.size() != 1 && (arguments.size() != 3 || arguments[0] != "--compression")) {
    fmt::print(stderr, "usage: make_image [--compression columns] DIRECTORY\n");
    return 2;
  }
  try {
    tsmfs::test::make_image(arguments);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "make_image: {}\n", error.what());
    return 1;
  }
}
