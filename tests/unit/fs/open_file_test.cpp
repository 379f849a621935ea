#include "fs/open_file.h"

#include <gtest/gtest.h>

#include "index/base/error.h"
#include "snapshot/upkeep/prune.h"
#include "snapshot/upkeep/repair.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::fs {
namespace {

using snapshot::ShardPath;

std::string tsm_of(const std::vector<test::TsmBlock>& blocks) {
  return std::string(as_text(test::make_tsm(blocks)));
}

// The newer file's recipe copies from the older backup's pack, of which a prune leaves only that.
class OpenFileTest : public snapshot::BackupTest {
 protected:
  OpenFileTest() {
    state.shards[kShard] = {{"000000001-000000001.tsm", tsm_of({{1, 9000}, {2, 9000}})}};
    state.tell(*fake);
    older = back_up();
    content = tsm_of({{2, 9000}, {3, 9000}});
    state.shards[kShard] = {{"000000002-000000001.tsm", content}};
    state.tell(*fake);
    newer = back_up();
    reader = index::Repository::open_reader({root});
    objects = &reader->objects();
  }

  FileContent file() const {
    const auto shards = snapshot::shard_entries(reader->objects(), newer->data);
    const auto shard = snapshot::read_tree(reader->objects(), shards.at(kShard).directory());
    const snapshot::TreeEntry* entry = shard.find("000000002-000000001.tsm");
    return {entry->file(), entry->size};
  }

  void forget_older_and_prune() {
    const auto repository = index::Repository::open_writer({root, "test"});
    snapshot::Catalog catalog(repository->storage());
    catalog.refresh();
    catalog.remove({older});
    snapshot::PruneOptions how;
    how.max_unused = 0;
    ASSERT_GT(prune_repository(*repository, catalog, how, {}).rewritten_packs, 0u);
  }

  static std::string read_all(OpenFile& open, size_t length) {
    ReadBytes bytes;
    std::string read;
    for (const iovec& piece : open.read(0, length, bytes))
      read.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    return read;
  }

  const ShardPath kShard{"db", "rp", 1};
  snapshot::ServerState state;
  std::string content;
  snapshot::SnapshotPtr older, newer;
  std::unique_ptr<index::Repository> reader;
  index::ObjectReader* objects = nullptr;
  ReadAhead ahead{size_t{64} << 20, 1};
};

TEST_F(OpenFileTest, OpenHandleReadsOnAfterAPruneMovedItsBytes) {
  OpenFile open(*objects, file(), ahead);
  forget_older_and_prune();
  EXPECT_EQ(read_all(open, content.size()), content);
}

TEST_F(OpenFileTest, FileOpenedAfterAPruneIsFoundInItsNewPlace) {
  const FileContent wanted = file();
  forget_older_and_prune();
  OpenFile open(*objects, wanted, ahead);
  EXPECT_EQ(read_all(open, content.size()), content);
}

TEST_F(OpenFileTest, HandleOfAForgottenSnapshotGivesAnErrorNotOtherBytes) {
  const auto shards = snapshot::shard_entries(reader->objects(), older->data);
  const auto shard = snapshot::read_tree(reader->objects(), shards.at(kShard).directory());
  const snapshot::TreeEntry entry = *shard.find("000000001-000000001.tsm");
  forget_older_and_prune();
  // The pack with its recipe may be held open; its chunks are in a pack that is gone, or there.
  try {
    OpenFile open(*objects, {entry.file(), entry.size}, ahead);
    EXPECT_EQ(read_all(open, entry.size), tsm_of({{1, 9000}, {2, 9000}}));
  } catch (const Error&) {
  }
}

TEST_F(OpenFileTest, IndexThatWasMadeAgainIsFollowed) {
  const FileContent wanted = file();
  index::Repository::rebuild_lookup({root, "test"});
  forget_older_and_prune();
  OpenFile open(*objects, wanted, ahead);
  EXPECT_EQ(read_all(open, content.size()), content);
}

}  // namespace
}  // namespace tsmfs::fs
