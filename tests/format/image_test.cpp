// Repositories written by older versions, as they are kept beside this file, read by this one.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "index/repository/repository.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/tree.h"
#include "snapshot/upkeep/check.h"
#include "tests/format/sha256.h"
#include "tests/support/repository_paths.h"
#include "tests/support/store_fixture.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::test {
namespace {

namespace stdfs = std::filesystem;

using Digests = std::map<std::string, std::string>;  // by "snapshot/data/…" or "snapshot/meta/…"

Digests expected_digests(const std::string& image) {
  constexpr size_t kDigestDigits = 64, kGap = 2;
  std::ifstream in(stdfs::path(TSMFS_IMAGES) / (image + ".sha256"));
  Digests digests;
  for (std::string line; std::getline(in, line);)
    digests[line.substr(kDigestDigits + kGap)] = line.substr(0, kDigestDigits);
  return digests;
}

// A copy of the image, with the empty directories that git does not keep. It has no index: a writer
// makes it.
class ImageTest : public ::testing::TestWithParam<std::string> {
 protected:
  ImageTest() : root_(dir_ / "repo") {
    stdfs::copy(stdfs::path(TSMFS_IMAGES) / GetParam(), root_, stdfs::copy_options::recursive);
    const test::RepositoryPaths paths(root_);
    for (const auto& path : {paths.locks(), paths.tmp()}) stdfs::create_directory(path);
  }

  void rebuild() { index::Repository::open_writer({root_, "test"}); }

  TempDir dir_;
  stdfs::path root_;
};

void add_digests(index::Repository& repository, const index::TreeId& id, const std::string& path,
                 Digests& found) {
  const snapshot::Tree tree = snapshot::Tree::decode(repository.objects().read_tree(id), path);
  for (const snapshot::TreeEntry& entry : tree.entries()) {
    const std::string below = path + "/" + entry.name.text();
    if (entry.kind == snapshot::EntryKind::kDirectory) {
      add_digests(repository, entry.directory(), below, found);
      continue;
    }
    const ByteBuffer content = read_all(repository, entry.file());
    EXPECT_EQ(content.size(), entry.size) << below;
    found[below] = sha256_hex(content);
  }
}

Digests stored_digests(index::Repository& repository) {
  Digests found;
  snapshot::Catalog catalog(repository.storage());
  for (const snapshot::SnapshotPtr& manifest : catalog.refresh()->snapshots) {
    add_digests(repository, manifest->data, manifest->id.hex() + "/data", found);
    add_digests(repository, manifest->meta, manifest->id.hex() + "/meta", found);
  }
  return found;
}

TEST_P(ImageTest, EachFileComesBackFromARebuiltIndex) {
  rebuild();
  const auto repository = index::Repository::open_reader({root_});
  const Digests expected = expected_digests(GetParam());
  ASSERT_FALSE(expected.empty());
  EXPECT_EQ(stored_digests(*repository), expected);
}

TEST_P(ImageTest, CheckFindsItClean) {
  rebuild();
  const auto repository = index::Repository::open_reader({root_});
  snapshot::Catalog catalog(repository->storage());
  catalog.refresh();
  const snapshot::CheckOptions options{index::ReadData::kYes,
                                       [](const std::string& damage) { ADD_FAILURE() << damage; }};
  const snapshot::CheckReport report =
      snapshot::check_repository(*repository, catalog, options, {});
  std::set<std::string> contents, snapshots;
  for (const auto& [path, digest] : expected_digests(GetParam())) {
    contents.insert(digest);
    snapshots.insert(path.substr(0, path.find('/')));
  }
  EXPECT_EQ(report.damages, 0u);
  EXPECT_EQ(report.snapshots, snapshots.size());
  EXPECT_EQ(report.files, contents.size());
}

TEST_P(ImageTest, TakesAnotherBackup) {
  const ByteBuffer content = make_tsm(20, 900, 5);
  index::StoredFile stored;
  {
    const auto repository = index::Repository::open_writer({root_, "test"});
    index::RepositoryWriter writer(*repository, {});
    stored = put(writer, content, index::FileKind::kTsm);
    writer.flush();
  }
  const auto repository = index::Repository::open_reader({root_});
  EXPECT_EQ(read_all(*repository, stored.id), content);
  EXPECT_EQ(stored_digests(*repository), expected_digests(GetParam()));
  EXPECT_EQ(repository->config().format, index::kFormatVersion);
}

TEST_P(ImageTest, TakesAnotherTag) {
  const auto repository = index::Repository::open_writer({root_, "test"});
  snapshot::Catalog catalog(repository->storage());
  snapshot::Manifest manifest = *catalog.refresh()->snapshots.back();
  EXPECT_EQ(manifest.is_pinned(), GetParam() != "v1");
  manifest.tags = {"other"};
  catalog.amend(manifest);
  EXPECT_EQ(snapshot::Catalog(repository->storage()).refresh()->snapshots.back()->tags,
            manifest.tags);
}

INSTANTIATE_TEST_SUITE_P(Versions, ImageTest, ::testing::Values("v1", "v2"),
                         [](const auto& version) { return version.param; });

}  // namespace
}  // namespace tsmfs::test
