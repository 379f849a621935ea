#include "snapshot/backup/shard_fetcher.h"

#include <gtest/gtest.h>

#include "index/base/error.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

using support::Answer;
using Severity = Problem::Severity;

class ShardFetcherTest : public BackupTest {
 protected:
  ShardFetcherTest() { fake->answer_metastore({support::frame_metastore("meta")}); }

  // Fetches the shard and makes what came durable, so that it can be read.
  FetchedShard fetch(std::optional<uint64_t> bytes_before = std::nullopt,
                     RetryPolicy retry = hasty_retry(), std::stop_token token = {}) {
    const auto repository = index::Repository::open_writer({root, "test"});
    index::RepositoryWriter writer(*repository, {});
    const InfluxdClient client = probed_client(token);
    ShardFetcher fetcher(client, writer, repository->local().tmp(), std::move(retry), token);
    fetcher.set_shard_bytes_max(shard_bytes_max);
    FetchedShard shard = fetcher.fetch({path, bytes_before, {}, {}});
    writer.flush();
    return shard;
  }

  FileContents stored(const FetchedShard& shard) const {
    const auto repository = index::Repository::open_reader({root});
    FileContents contents;
    for (const TreeEntry& entry : shard.files)
      contents[entry.name.text()] = as_text(test::read_all(*repository, entry.file()));
    return contents;
  }

  void expect_whole(const FetchedShard& shard, unsigned tries) const {
    EXPECT_EQ(shard.tries, tries);
    EXPECT_TRUE(shard.problems.empty()) << shard.problems[0].what;
    EXPECT_EQ(stored(shard), files);
  }

  // That the shard is refused with this reason, however often it is asked for.
  void expect_refused(const std::string& tar, const std::string& why) {
    fake->answer_shard(path.shard, {tar});
    const FetchedShard shard = fetch();
    EXPECT_TRUE(shard.incomplete());
    EXPECT_EQ(shard.tries, 5u);
    EXPECT_TRUE(has_problem(shard.problems, Severity::kIncomplete, "db/rp/7", why));
  }

  std::string tar() const { return shard_tar(path, files); }
  std::string tar_of(const std::vector<support::TarEntry>& entries) const {
    return support::make_tar(entries, support::TarForm::kUstar);
  }

  uint64_t shard_bytes_max = kShardBytesMaxDefault;
  const ShardPath path{"db", "rp", 7};
  const std::string first = "000000001-000000001.tsm", second = "000000002-000000001.tsm";
  FileContents files = {
      {first, tsm(20, 1)}, {second, tsm(10, 2)}, {"000000001-000000001.tombstone", "gone"}};
};

TEST_F(ShardFetcherTest, StreamPastTheLimitIsRefusedAndWhatCameBeforeIsKept) {
  shard_bytes_max = files[first].size() + 100;
  fake->answer_shard(7, {tar()});
  const FetchedShard shard = fetch();
  EXPECT_TRUE(has_problem(shard.problems, Severity::kIncomplete, "db/rp/7", "more than"));
  EXPECT_LE(shard.bytes, shard_bytes_max);
}

TEST_F(ShardFetcherTest, TakesAWholeShardAtOnce) {
  fake->answer_shard(7, {tar(), SIZE_MAX, Answer::End::kClose, 10'001});
  const FetchedShard shard = fetch();
  expect_whole(shard, 1);
  uint64_t bytes = 0;
  for (const auto& [name, content] : files) bytes += content.size();
  EXPECT_EQ(shard.bytes, bytes);
  for (const TreeEntry& entry : shard.files) {
    EXPECT_EQ(entry.mode, 0644u);
    EXPECT_EQ(entry.mtime.unix_ns, 1'454'349'756'000'000'000);
  }
}

TEST_F(ShardFetcherTest, TakesAnEmptyShard) {
  files.clear();
  fake->answer_shard(7, {support::tar_trailer()});
  expect_whole(fetch(), 1);
}

TEST_F(ShardFetcherTest, AsksAgainAfterEmptyAnswers) {
  fake->answer_shard(7, {tar()});
  fake->refuse_shard_times(7, 2);
  expect_whole(fetch(), 3);
}

TEST_F(ShardFetcherTest, AsksAgainAfterACutStream) {
  const std::string whole = tar();
  fake->answer_shard(7, {whole});
  const size_t in_second_file = whole.size() / 2, data_end = whole.size() - 1024;
  for (const Answer::End end : {Answer::End::kClose, Answer::End::kReset}) {
    for (const size_t cut :
         {size_t{1}, size_t{511}, size_t{512}, size_t{513}, size_t{1000}, in_second_file,
          data_end - 512, data_end - 1, data_end, data_end + 1, data_end + 512, whole.size() - 1}) {
      fake->answer_shard_once(7, {whole, cut, end});
      expect_whole(fetch(), 2);
    }
  }
}

TEST_F(ShardFetcherTest, AsksAgainAfterTwoStreamsGluedTogether) {
  fake->answer_shard(7, {tar()});
  fake->answer_shard_once(7, {tar() + tar()});
  fake->answer_shard_once(7, {tar().substr(0, 2000) + tar()});
  expect_whole(fetch(), 3);
}

TEST_F(ShardFetcherTest, CountsNewBytesOfAllTries) {
  fake->answer_shard(7, {tar()});
  fake->answer_shard_once(7, {tar(), tar().size() - 1});
  EXPECT_GT(fetch().new_bytes, 30'000u);
  fake->answer_shard_once(7, {tar(), tar().size() - 1});
  EXPECT_EQ(fetch().new_bytes, 0u);
}

TEST_F(ShardFetcherTest, NeverWholeKeepsTheFilesOfTheBestTry) {
  const std::string whole = tar();
  fake->answer_shard(7, {whole, 3000});  // in the first .tsm; the tombstone before it is whole
  fake->answer_shard_once(7, {whole, 3000});
  fake->answer_shard_once(7, {whole, whole.size() - 2000});  // in the second
  const FetchedShard shard = fetch();
  EXPECT_EQ(shard.tries, 5u);
  ASSERT_EQ(shard.problems.size(), 1u);
  EXPECT_TRUE(has_problem(shard.problems, Severity::kIncomplete, "db/rp/7",
                          "did not come whole in 5 tries"));
  EXPECT_TRUE(
      has_problem(shard.problems, Severity::kIncomplete, "db/rp/7", "2 of its files are kept"));
  files.erase(second);
  EXPECT_EQ(stored(shard), files);
}

TEST_F(ShardFetcherTest, NeverAnsweredIsIncompleteAndEmpty) {
  const FetchedShard shard = fetch();
  EXPECT_TRUE(shard.files.empty());
  EXPECT_EQ(shard.tries, 5u);
  EXPECT_TRUE(
      has_problem(shard.problems, Severity::kIncomplete, "db/rp/7", "the server answered nothing"));
}

TEST_F(ShardFetcherTest, WrongCrcOnceIsFetchedAgain) {
  fake->answer_shard(7, {tar()});
  FileContents damaged = files;
  damaged[first][700] ^= 1;
  fake->answer_shard_once(7, {shard_tar(path, damaged)});
  expect_whole(fetch(), 2);
}

TEST_F(ShardFetcherTest, WrongCrcThatStaysIsStoredWithAWarning) {
  files[first][700] ^= 1;
  fake->answer_shard(7, {tar()});
  for (const unsigned tries : {2u, 1u}) {  // the second backup knows the file already
    const FetchedShard shard = fetch();
    EXPECT_EQ(shard.tries, tries);
    EXPECT_FALSE(shard.incomplete());
    EXPECT_TRUE(has_problem(shard.problems, Severity::kWarning, "db/rp/7/" + first,
                            "the CRC of block 0 (of 20) is wrong; stored as it is"));
    EXPECT_EQ(shard.problems.size(), 1u);
    EXPECT_EQ(stored(shard), files);
  }
}

TEST_F(ShardFetcherTest, WholeTryWithAWrongCrcIsKeptWhenNoOtherComesWhole) {
  files[first][700] ^= 1;
  fake->answer_shard_once(7, {tar()});
  fake->answer_shard(7, {tar(), tar().size() - 1});
  const FetchedShard shard = fetch();
  EXPECT_FALSE(shard.incomplete());
  EXPECT_TRUE(
      has_problem(shard.problems, Severity::kWarning, "db/rp/7/" + first, "stored as it is"));
  EXPECT_EQ(stored(shard), files);
}

TEST_F(ShardFetcherTest, FileThatIsNoTsmIsStoredWithAWarning) {
  files[first] = "not a TSM file";
  fake->answer_shard(7, {tar()});
  const FetchedShard shard = fetch();
  EXPECT_FALSE(shard.incomplete());
  EXPECT_TRUE(has_problem(shard.problems, Severity::kWarning, "db/rp/7/" + first,
                          "is not a sound TSM file"));
  EXPECT_EQ(stored(shard), files);
}

TEST_F(ShardFetcherTest, ShrunkenShardIsFetchedTwice) {
  fake->answer_shard(7, {tar()});
  const FetchedShard shard = fetch(1'000'000);
  EXPECT_EQ(shard.tries, 2u);
  EXPECT_FALSE(shard.incomplete());
  EXPECT_TRUE(has_problem(shard.problems, Severity::kWarning, "db/rp/7",
                          "and had 976.6 KiB in the last snapshot"));
  EXPECT_EQ(stored(shard), files);
}

TEST_F(ShardFetcherTest, ShardThatOnlySeemedToShrinkIsTakenWhole) {
  fake->answer_shard(7, {tar()});
  fake->answer_shard_once(7, {support::tar_trailer()});
  expect_whole(fetch(70'000), 2);
}

TEST_F(ShardFetcherTest, SmallChangesOfSizeAreBelieved) {
  fake->answer_shard(7, {tar()});
  expect_whole(fetch(100'000), 1);
  expect_whole(fetch(1), 1);
}

TEST_F(ShardFetcherTest, LeavesOutWhatTheServerMakesAtItsStart) {
  std::vector<support::TarEntry> entries;
  for (const char* name : {"fields.idx", "fields.idxl", "index/0/MANIFEST",
                           "index/0/L0-00000001.tsl", "000000003-000000001.tsm.tmp"})
    entries.push_back({path.text() + "/" + name, "left out"});
  entries.push_back({path.text() + "/index", "", 1, 0, true});
  for (const auto& [name, content] : files) entries.push_back({path.text() + "/" + name, content});
  fake->answer_shard(7, {tar_of(entries)});
  expect_whole(fetch(), 1);
}

TEST_F(ShardFetcherTest, RefusesFilesOfAnotherShard) {
  for (const char* name :
       {"db/rp/8/a.tsm", "db/rp/77/a.tsm", "other/rp/7/a.tsm", "db/rp/7", "a.tsm"})
    expect_refused(tar_of({{name, "x"}}), "not of this shard");
}

TEST_F(ShardFetcherTest, RefusesNamesThatClimb) {
  for (const char* name :
       {"db/rp/7/../8/a.tsm", "../a.tsm", "/etc/passwd", "db/rp/7/./a.tsm", "db/rp/7//a.tsm"})
    expect_refused(tar_of({{name, "x"}}), "not a plain relative path");
  expect_refused(tar_of({{"db/rp/7/deeper/a.tsm", "x"}}), "a name that no shard has");
}

TEST_F(ShardFetcherTest, RefusesANameThatComesTwice) {
  expect_refused(tar_of({{"db/rp/7/a.tsm", "x"}, {"db/rp/7/a.tsm", "y"}}), "twice");
}

TEST_F(ShardFetcherTest, StopsInAPause) {
  const std::jthread stopper([&] {
    while (fake->requests().size() < 2)
      std::this_thread::yield();  // the probe's, and one for the shard
    stop.request_stop();
  });
  EXPECT_THROW(fetch(std::nullopt, {{std::chrono::hours(1)}}, stop.get_token()), Cancelled);
}

TEST_F(ShardFetcherTest, StopsInAStreamThatStalls) {
  fake->answer_shard(7, {tar(), 5000, Answer::End::kStall});
  const std::jthread stopper([&] {
    while (fake->requests().size() < 2) std::this_thread::yield();
    stop.request_stop();
  });
  EXPECT_THROW(fetch(std::nullopt, hasty_retry(), stop.get_token()), Cancelled);
}

}  // namespace
}  // namespace tsmfs::snapshot
