// Any single byte of a repository flipped, and any file of it cut: harmless or detected, never a
// wrong byte. TSMFS_FLIP_ALL=1 tries every offset of every file; else some of each.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <random>

#include "index/base/error.h"
#include "index/base/file.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;

// Of each file. That a flip of any byte of a config, a manifest or an amendment is seen by those
// who decode it is a unit test's; here it is the whole program that sees it.
constexpr size_t kSampleOffsets = 150;
constexpr uint64_t kWholeFileBytes = 64 << 20;
constexpr uint64_t kCutStep = 4096;

class FlipTest : public TwoBackupsTest {
 protected:
  FlipTest() {
    const auto repository = index::Repository::open_writer({root, "test"});
    Catalog(repository->storage()).remove({back_up_again(*repository)});
  }

  // So that there is an amendment to damage.
  SnapshotPtr back_up_again(index::Repository& repository) {
    Manifest manifest = *newer;
    manifest.id = index::random_id<index::SnapshotId>();
    Catalog catalog(repository.storage());
    Manifest tagged = *newer;
    tagged.tags = {"weekly"};
    catalog.amend(tagged);
    return catalog.publish(manifest);
  }

  std::vector<stdfs::path> files() const {
    std::vector<stdfs::path> found;
    for (const auto& entry : stdfs::recursive_directory_iterator(root))
      if (entry.is_regular_file()) found.push_back(entry.path());
    std::ranges::sort(found);
    return found;
  }

  std::vector<uint64_t> offsets_of(uint64_t bytes) {
    std::vector<uint64_t> offsets;
    if (std::getenv("TSMFS_FLIP_ALL") || bytes <= kSampleOffsets) {
      for (uint64_t at = 0; at < bytes; ++at) offsets.push_back(at);
      return offsets;
    }
    for (size_t i = 0; i < kSampleOffsets; ++i) offsets.push_back(random_() % bytes);
    return offsets;
  }

  static void write(const stdfs::path& path, const std::string& content) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << content;
    ASSERT_TRUE(file.good()) << path;
  }

  // Reads all. True when something was found wrong; a test failure when something is wrong and was
  // not found.
  bool detects(const std::string& where) const {
    try {
      const auto repository = index::Repository::open_reader({root});
      Catalog catalog(repository->storage());
      const auto list = catalog.refresh();
      bool found = !list->is_sound();
      if (!found && list->snapshots.size() != 2u) ADD_FAILURE() << where << ": a snapshot is gone";
      for (const SnapshotPtr& snapshot : list->snapshots) {
        FileContents contents;
        try {
          read_below(*repository, snapshot->data, "", contents);
        } catch (const Error&) {
          found = true;
          continue;
        }
        EXPECT_EQ(contents == (snapshot->id == older->id ? older_files : newer_files), true)
            << where << ": wrong bytes";
      }
      return found;
    } catch (const Error&) {
      return true;
    }
  }

  // What check says of it: packs, manifests and the config must not be damaged unseen.
  bool check_detects() const {
    try {
      return !damages().empty();
    } catch (const Error&) {
      return true;
    }
  }

  bool is_truth(const stdfs::path& path) const {
    const std::string name = stdfs::relative(path, root).string();
    return name.starts_with("packs/") || name.starts_with("snapshots/") || name == "config";
  }

  void damage_and_expect(const stdfs::path& path, const std::string& damaged,
                         const std::string& where) {
    write(path, damaged);
    detects(where);
    if (!is_truth(path)) return;
    EXPECT_TRUE(check_detects()) << where << ": check sees nothing";
  }

  std::mt19937_64 random_{20260101};
};

TEST_F(FlipTest, AnyFlippedByteIsHarmlessOrDetected) {
  ASSERT_FALSE(detects("undamaged"));
  for (const stdfs::path& path : files()) {
    const std::string whole = read_whole_file(path, kWholeFileBytes);
    // RocksDB asserts that of a block of properties before it looks at its checksum.
    const unsigned bits = path.extension() == ".sst" ? 7 : 8;
    for (const uint64_t offset : offsets_of(whole.size())) {
      std::string damaged = whole;
      damaged[offset] = static_cast<char>(damaged[offset] ^ (1 << (random_() % bits)));
      damage_and_expect(path, damaged, path.filename().string() + " at " + std::to_string(offset));
    }
    write(path, whole);
  }
  EXPECT_FALSE(detects("undamaged again"));
  expect_sound();
}

TEST_F(FlipTest, AnyCutFileIsHarmlessOrDetected) {
  for (const stdfs::path& path : files()) {
    const std::string whole = read_whole_file(path, kWholeFileBytes);
    std::vector<uint64_t> lengths = {0, 1, whole.size() / 2, whole.size() - 1};
    for (uint64_t length = kCutStep; length < whole.size(); length += kCutStep)
      lengths.push_back(length);
    for (const uint64_t length : lengths) {
      if (length >= whole.size()) continue;
      damage_and_expect(path, whole.substr(0, length),
                        path.filename().string() + " cut to " + std::to_string(length));
    }
    write(path, whole);
  }
  expect_sound();
}

// What a writer makes of a damaged index: the truth again.
TEST_F(FlipTest, WriterMendsOrNamesADamagedIndex) {
  for (const stdfs::path& path : files()) {
    if (path.parent_path() != root / "index" || stdfs::file_size(path) == 0) continue;
    stdfs::remove_all(dir / "copy");
    stdfs::copy(root, dir / "copy", stdfs::copy_options::recursive);
    const stdfs::path damaged = dir / "copy" / "index" / path.filename();
    std::string content = read_whole_file(damaged, kWholeFileBytes);
    content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 0x10);
    write(damaged, content);
    try {
      index::Repository::open_writer({dir / "copy", "test"});
    } catch (const Error&) {
      index::Repository::rebuild_lookup({dir / "copy", "test"});
    }
    const auto repository = index::Repository::open_reader({dir / "copy"});
    FileContents contents;
    read_below(*repository, newer->data, "", contents);
    EXPECT_EQ(contents, newer_files) << path;
  }
}

}  // namespace
}  // namespace tsmfs::snapshot
