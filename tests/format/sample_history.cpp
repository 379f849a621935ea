#include "tests/format/sample_history.h"

#include <fmt/format.h>

#include <utility>

#include "tests/support/store_fixture.h"

namespace tsmfs::test {
namespace {

using index::FileKind;
using snapshot::Problem;

constexpr uint64_t kUnsoundSeed = 9000;
constexpr size_t kUnsoundLostBytes = 33;
const std::string kLatin1Name = "caf\xe9";  // not UTF-8

// Blocks first, first + 1, … of a server, of somewhat different lengths.
std::vector<TsmBlock> blocks(uint64_t first, size_t count) {
  std::vector<TsmBlock> list;
  for (uint64_t seed = first; seed < first + count; ++seed)
    list.push_back({seed, 700 + seed % 11 * 40});
  return list;
}

std::vector<TsmBlock> operator+(std::vector<TsmBlock> left, const std::vector<TsmBlock>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// Text that compresses, no line like another.
ByteBuffer text(size_t lines) {
  std::string out;
  for (size_t i = 0; i < lines; ++i)
    out += fmt::format("cpu,host=h{:04},rack=r{} usage={} {}\n", i % 97, i % 7, i * i % 1009,
                       1454349756 + i);
  const ByteView bytes = as_bytes(out);
  return {bytes.begin(), bytes.end()};
}

ByteBuffer cut_short(ByteBuffer bytes) {
  bytes.resize(bytes.size() - kUnsoundLostBytes);
  return bytes;
}

// A TSM file with another byte in the middle of its blocks.
ByteBuffer flipped(ByteBuffer bytes) {
  bytes[bytes.size() / 3] ^= std::byte{0x40};
  return bytes;
}

SampleFile tsm(std::string name, ByteBuffer content) {
  return {
      std::move(name), FileKind::kTsm, std::move(content), true, 0644, {1'700'000'000'000'000'000}};
}

SampleFile unsound(std::string name, ByteBuffer content) {
  SampleFile file = tsm(std::move(name), std::move(content));
  file.sound = false;
  return file;
}

SampleFile other(std::string name, ByteBuffer content, uint32_t mode = 0644,
                 int64_t mtime_ns = 1'700'000'001'000'000'007) {
  return {std::move(name), FileKind::kOther, std::move(content), true, mode, {mtime_ns}};
}

std::vector<SampleFile> odd_names() {
  return {other(".hidden", random_bytes(3, 1), 0),
          other("...", random_bytes(200, 2), 07777),
          other("two  spaces ", random_bytes(1, 3)),
          other("データ.tombstone", random_bytes(9, 4)),
          other("Ωμέγα", random_bytes(17, 5), 0600, -1),
          other("новый файл.tsm", random_bytes(241, 6)),
          other("tab\tand\\backslash", random_bytes(129, 7), 0644, 0),
          other(kLatin1Name, random_bytes(255, 8)),
          other(std::string(255, 'n'), random_bytes(256, 9))};
}

SampleSnapshot first() {
  SampleSnapshot snapshot;
  snapshot.id = index::SnapshotId::from(random_bytes(index::kIdBytes, 101));
  snapshot.time = parse_rfc3339("2026-01-02T03:04:05.000000006Z");
  snapshot.databases = {"telegraf", "my.db", "日本", kLatin1Name, "without data"};
  auto& shards = snapshot.shards;
  shards[{"telegraf", "autogen", 1}] = {
      tsm("000000001-000000001.tsm", make_tsm(blocks(0, 60))),
      tsm("000000002-000000001.tsm", make_tsm(blocks(20, 40) + blocks(1000, 20)))};
  shards[{"telegraf", "autogen", 2}] = {other("000000001-000000001.tombstone", {}),
                                        tsm("000000001-000000001.tsm", make_tsm(blocks(2000, 3))),
                                        other("fields.idx", text(5000)),
                                        other("zeros", ByteBuffer(300'000))};
  shards[{"telegraf", "autogen", 3}] = {};
  shards[{"my.db", "one week", 4}] = {
      unsound("000000001-000000001.tsm", cut_short(make_tsm(blocks(kUnsoundSeed, 12)))),
      unsound("000000002-000000001.tsm", flipped(make_tsm(blocks(kUnsoundSeed + 100, 4)))),
      unsound("000000003-000000001.tsm", {})};
  shards[{"日本", "Übersicht", 5}] = odd_names();
  shards[{Name::require(kLatin1Name, "the sample"), "autogen", 18446744073709551615u}] = {
      tsm("000000001-000000001.tsm", make_tsm(blocks(0, 60)))};
  snapshot.meta = {other("meta.db", random_bytes(500, 10)), other("node.json", text(1))};
  snapshot.problems = {{Problem::Severity::kWarning, "my.db/one week/4/000000001-000000001.tsm",
                        "not a sound TSM file"}};
  return snapshot;
}

// A day later: a compaction, a grown file, a new shard, a shard that is gone.
SampleSnapshot second() {
  SampleSnapshot snapshot = first();
  snapshot.id = index::SnapshotId::from(random_bytes(index::kIdBytes, 102));
  snapshot.time = parse_rfc3339("2026-01-03T03:04:05.999999999Z");
  auto& shards = snapshot.shards;
  shards[{"telegraf", "autogen", 1}] = {tsm(
      "000000002-000000002.tsm", make_tsm(blocks(5, 40) + blocks(3000, 15) + blocks(1000, 20)))};
  shards[{"telegraf", "autogen", 2}][2] = other("fields.idx", text(5500));
  shards[{"telegraf", "autogen", 6}] = {
      tsm("000000001-000000001.tsm", make_tsm(blocks(2000, 3) + blocks(4000, 5)))};
  shards.erase({"my.db", "one week", 4});
  snapshot.meta[0] = other("meta.db", random_bytes(512, 11));
  snapshot.problems = {
      {Problem::Severity::kIncomplete, "telegraf/autogen/3", "the server closed the connection"}};
  return snapshot;
}

}  // namespace

std::vector<SampleSnapshot> sample_history() {
  return {first(), second()};
}

}  // namespace tsmfs::test
