#include "snapshot/server/influxd_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <stop_token>
#include <string>

#include "index/base/error.h"
#include "snapshot/stream/tar_reader.h"
#include "tests/support/fake_influxd.h"
#include "tests/support/tar_builder.h"

namespace tsmfs::snapshot {
namespace {

using std::chrono::milliseconds;
using support::Answer;
using support::FakeInfluxd;
using support::frame_metastore;
using Clock = std::chrono::steady_clock;

// Patient enough for a loaded machine; tests of timeouts take their own.
InfluxdOptions patient() {
  return {{milliseconds(20'000), milliseconds(20'000)}, milliseconds(20'000)};
}
InfluxdOptions hasty() {
  return {{milliseconds(20'000), milliseconds(50)}, milliseconds(50)};
}

std::string read_rest(ByteStream& stream) {
  std::string all;
  std::byte buffer[4096];
  while (const size_t count = stream.read(buffer)) all += as_text({buffer, count});
  return all;
}

template <typename Action>
ProtocolError failure_of(Action action) {
  try {
    action();
  } catch (const ProtocolError& error) {
    return error;
  }
  return ProtocolError("nothing failed");
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class BothDialects : public ::testing::TestWithParam<Dialect> {
 protected:
  BothDialects() : fake(GetParam()) { fake.answer_metastore({frame_metastore("meta")}); }
  InfluxdClient probed(InfluxdOptions options = patient()) {
    InfluxdClient client(fake.endpoint(), options, stop.get_token());
    client.probe();
    return client;
  }
  bool modern() const { return GetParam() == Dialect::k15; }

  FakeInfluxd fake;
  std::stop_source stop;
};

INSTANTIATE_TEST_SUITE_P(InfluxdClient, BothDialects, ::testing::Values(Dialect::k14, Dialect::k15),
                         [](const auto& dialect) {
                           return dialect.param == Dialect::k14 ? "k14" : "k15";
                         });

TEST_P(BothDialects, ProbeFindsTheDialect) {
  InfluxdClient client(fake.endpoint(), patient(), {});
  EXPECT_EQ(client.probe(), GetParam());
  std::vector<std::string> expected{std::string("\x03\x01{}\n")};
  if (!modern()) expected.emplace_back("\x03{\"Type\":1}");
  EXPECT_EQ(fake.requests(), expected);
}

TEST_P(BothDialects, SendsRequestsInTheirExactForm) {
  fake.answer_database("my.db 1", {"{\"Paths\":null}\n"});
  const InfluxdClient client = probed();
  client.list_shards("my.db 1");
  client.open_shard({"my.db 1", "rp", 10}, std::nullopt);
  client.open_shard({"my.db 1", "rp", 10}, Timestamp{1'454'349'756'000'000'007});
  const auto requests = fake.requests();
  ASSERT_GE(requests.size(), 3u);
  const std::string head = modern() ? std::string("\x03\0", 2) : std::string("\x03");
  const auto shard = [&](const std::string& since) {
    return modern() ? head +
                          "{\"BackupDatabase\":\"my.db "
                          "1\",\"BackupRetentionPolicy\":\"rp\",\"ShardID\":10,\"Since\":\"" +
                          since + "\"}\n"
                    : head +
                          "{\"Database\":\"my.db "
                          "1\",\"RetentionPolicy\":\"rp\",\"ShardID\":10,\"Since\":\"" +
                          since + "\",\"Type\":0}";
  };
  EXPECT_EQ(requests[requests.size() - 3], modern() ? "\x03\x03{\"BackupDatabase\":\"my.db 1\"}\n"
                                                    : "\x03{\"Database\":\"my.db 1\",\"Type\":2}");
  EXPECT_EQ(requests[requests.size() - 2], shard("0001-01-01T00:00:00Z"));
  EXPECT_EQ(requests[requests.size() - 1], shard("2016-02-01T18:02:36.000000007Z"));
}

TEST_P(BothDialects, FetchesTheMetastoreInPiecesOfAnySize) {
  std::string meta(3'000'000, 'm');
  meta += std::string("\0end", 4);
  fake.answer_metastore({frame_metastore(meta, "{}\n"), SIZE_MAX, Answer::End::kClose, 70'001});
  const MetastoreAnswer answer = probed().fetch_metastore();
  EXPECT_TRUE(as_text(answer.meta_db) == meta);
  EXPECT_EQ(as_text(answer.node_json), "{}\n");
}

TEST_P(BothDialects, RejectsAMetastoreCutAtEveryByte) {
  const std::string whole = frame_metastore("metastore");
  const InfluxdClient client = probed();
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    fake.answer_metastore({whole, cut, Answer::End::kClose, 1});
    EXPECT_THROW(client.fetch_metastore(), ProtocolError) << cut;
  }
}

TEST_P(BothDialects, RejectsBytesBehindTheMetastore) {
  const InfluxdClient client = probed();
  fake.answer_metastore({frame_metastore("meta") + "x"});
  const ProtocolError error = failure_of([&] { client.fetch_metastore(); });
  EXPECT_TRUE(contains(error.what(), "bytes follow the metastore")) << error.what();
}

TEST_P(BothDialects, RejectsMetastoreLengthsOutOfBounds) {
  const InfluxdClient client = probed();
  const std::string magic = frame_metastore("").substr(0, 8);
  for (const std::string& length : {std::string(8, '\0'), std::string("\0\0\0\0\x40\0\0\1", 8),
                                    std::string(8, '\xff'), std::string("\x80\0\0\0\0\0\0\0", 8)}) {
    fake.answer_metastore({magic + length + "meta"});
    EXPECT_THROW(client.fetch_metastore(), ProtocolError);
    fake.answer_metastore({frame_metastore("meta").substr(0, 20) + length + "null\n"});
    EXPECT_THROW(client.fetch_metastore(), ProtocolError);
  }
  // Announced, within the bound, and not there: no memory is taken for it.
  fake.answer_metastore({magic + std::string("\0\0\0\0\0\x10\0\0", 8) + "meta"});
  EXPECT_TRUE(contains(failure_of([&] { client.fetch_metastore(); }).what(), "4 bytes of 1048576"));
}

TEST_P(BothDialects, TellsNoShardsFromAnUnknownName) {
  fake.answer_database("empty", {"{\"Paths\":null}\n"});
  fake.answer_database("größe \"1\"", {"{\"Paths\":[\"größe \\\"1\\\"/rp/2\"]}\n"});
  const InfluxdClient client = probed();
  EXPECT_EQ(client.list_shards("empty")->shards, std::vector<ShardPath>());
  EXPECT_EQ(client.list_shards("größe \"1\"")->shards,
            (std::vector<ShardPath>{{"größe \"1\"", "rp", 2}}));
  EXPECT_FALSE(client.list_shards("unknown"));
  EXPECT_FALSE(client.list_shards("not\xffutf-8"));
  EXPECT_THROW(client.list_shards(""), UsageError);
}

TEST_P(BothDialects, RejectsAListOfShardsThatIsCutOrNone) {
  const InfluxdClient client = probed();
  for (const char* json :
       {"{\"Paths\":[\"db/rp/1\"", "{}", "HTTP/1.1 400 Bad Request", "{\"Paths\":[\"../rp/1\"]}"}) {
    fake.answer_database("db", {json});
    EXPECT_THROW(client.list_shards("db"), ProtocolError) << json;
  }
}

TEST_P(BothDialects, StreamsAShard) {
  const std::string data(2'000'000, 's');
  fake.answer_shard(7, {support::make_tar({{"db/rp/7/a.tsm", data}}, support::TarForm::kPax),
                        SIZE_MAX, Answer::End::kClose, 123'457});
  const auto stream = probed().open_shard({"db", "rp", 7}, std::nullopt);
  ASSERT_TRUE(stream);
  TarReader reader(*stream, "db/rp/7");
  ASSERT_TRUE(reader.next());
  RawBuffer buffer(1 << 20);
  size_t total = 0;
  while (const size_t count = reader.read_data(buffer.span())) total += count;
  EXPECT_EQ(total, data.size());
  EXPECT_FALSE(reader.next());
}

TEST_P(BothDialects, TellsAnEmptyAnswerFromAnEmptyShard) {
  fake.answer_shard(7, {support::tar_trailer()});
  fake.refuse_shard_times(7, 1);
  const InfluxdClient client = probed();
  EXPECT_EQ(client.open_shard({"db", "rp", 7}, std::nullopt), nullptr);
  const auto stream = client.open_shard({"db", "rp", 7}, std::nullopt);
  ASSERT_TRUE(stream);
  EXPECT_EQ(read_rest(*stream).size(), 1024u);
}

TEST_P(BothDialects, GivesEndAgainAtTheEnd) {
  fake.answer_shard(7, {"abc"});
  const auto stream = probed().open_shard({"db", "rp", 7}, std::nullopt);
  EXPECT_EQ(read_rest(*stream), "abc");
  EXPECT_EQ(read_rest(*stream), "");
}

TEST_P(BothDialects, SaysThatTheConnectionBroke) {
  fake.answer_shard(7, {"abcdef", 3, Answer::End::kReset});
  const InfluxdClient client = probed();
  const ProtocolError error = failure_of([&] {
    const auto stream = client.open_shard({"db", "rp", 7}, std::nullopt);
    read_rest(*stream);
  });
  EXPECT_TRUE(contains(error.what(), "the connection broke after")) << error.what();
  EXPECT_TRUE(contains(error.what(), fake.endpoint().text())) << error.what();
}

TEST_P(BothDialects, GivesUpOnASilentServer) {
  const InfluxdClient client =
      probed({{milliseconds(20'000), milliseconds(500)}, milliseconds(20'000)});
  fake.answer_shard(7, {"abc", 3, Answer::End::kStall});
  const ProtocolError error = failure_of([&] {
    const auto stream = client.open_shard({"db", "rp", 7}, std::nullopt);
    read_rest(*stream);
  });
  EXPECT_TRUE(contains(error.what(), "sent nothing for 500 ms, after 3 bytes")) << error.what();
}

TEST_P(BothDialects, StopsWhileItWaits) {
  fake.answer_shard(7, {"abc", 3, Answer::End::kStall});
  const InfluxdClient client = probed();
  const auto stream = client.open_shard({"db", "rp", 7}, std::nullopt);
  auto reading = std::async(std::launch::async, [&] { return read_rest(*stream); });
  const auto stopped = Clock::now();
  stop.request_stop();
  EXPECT_THROW(reading.get(), Cancelled);
  EXPECT_LT(Clock::now() - stopped, milliseconds(5'000));
  EXPECT_THROW(client.fetch_metastore(), Cancelled);
}

TEST_P(BothDialects, StopsWhileBytesFlow) {
  fake.answer_shard(7, {std::string(100'000, 'x'), SIZE_MAX, Answer::End::kClose, 1});
  const InfluxdClient client = probed();
  const auto stream = client.open_shard({"db", "rp", 7}, std::nullopt);
  stop.request_stop();
  EXPECT_THROW(read_rest(*stream), Cancelled);
}

TEST_P(BothDialects, ServesSeveralThreadsAtATime) {
  const InfluxdClient client = probed();
  for (uint64_t id = 1; id <= 8; ++id)
    fake.answer_shard(id, {std::string(100'000 + id, 'x'), SIZE_MAX, {}, 5'000});
  std::vector<std::future<size_t>> sizes;
  for (uint64_t id = 1; id <= 8; ++id)
    sizes.push_back(std::async(std::launch::async, [&client, id] {
      return read_rest(*client.open_shard({"db", "rp", id}, std::nullopt)).size();
    }));
  for (uint64_t id = 1; id <= 8; ++id) EXPECT_EQ(sizes[id - 1].get(), 100'000 + id);
}

TEST(InfluxdClient, SaysWhatToDoWhenTheConnectionIsRefused) {
  Endpoint endpoint;
  {
    const FakeInfluxd gone(Dialect::k15);
    endpoint = gone.endpoint();
  }
  InfluxdClient client(endpoint, patient(), {});
  const ProtocolError error = failure_of([&] { client.probe(); });
  EXPECT_EQ(error.what(), "cannot reach influxd at " + endpoint.text() + ": Connection refused");
  EXPECT_TRUE(contains(error.advice(), "bind-address")) << error.advice();
  EXPECT_TRUE(contains(error.advice(), "8086")) << error.advice();
}

TEST(InfluxdClient, RecognisesAnHttpServer) {
  FakeInfluxd fake(Dialect::k15);
  fake.answer_everything({"HTTP/1.1 400 Bad Request\r\n\r\n"});
  InfluxdClient client(fake.endpoint(), patient(), {});
  const ProtocolError error = failure_of([&] { client.probe(); });
  EXPECT_TRUE(contains(error.what(), "speaks HTTP")) << error.what();
  EXPECT_TRUE(contains(error.advice(), "8088")) << error.advice();
}

TEST(InfluxdClient, RecognisesServersOfOtherKinds) {
  FakeInfluxd fake(Dialect::k15);
  for (const std::string& greeting :
       {std::string("SSH-2.0-OpenSSH_9.2\r\n"), std::string("\x15\x03\x01"), std::string("H")}) {
    fake.answer_everything({greeting});
    InfluxdClient client(fake.endpoint(), patient(), {});
    const ProtocolError error = failure_of([&] { client.probe(); });
    EXPECT_TRUE(contains(error.what(), "is no influxd snapshot service")) << error.what();
    EXPECT_FALSE(error.advice().empty());
  }
}

TEST(InfluxdClient, RecognisesAServerThatAnswersNothing) {
  FakeInfluxd fake(Dialect::k15);
  InfluxdClient client(fake.endpoint(), patient(), {});
  const ProtocolError error = failure_of([&] { client.probe(); });
  EXPECT_TRUE(contains(error.what(), "answers nothing")) << error.what();
  EXPECT_FALSE(error.advice().empty());
  EXPECT_EQ(fake.requests().size(), 2u);
}

TEST(InfluxdClient, GivesUpProbingASilentServer) {
  FakeInfluxd fake(Dialect::k15);
  fake.answer_everything({"", SIZE_MAX, Answer::End::kStall});
  InfluxdClient client(fake.endpoint(), hasty(), {});
  const ProtocolError error = failure_of([&] { client.probe(); });
  EXPECT_TRUE(contains(error.what(), "sent nothing for 50 ms")) << error.what();
  EXPECT_FALSE(error.advice().empty());
}

TEST(InfluxdClient, FindsNoAddressForAName) {
  InfluxdClient client({"no-such-host.invalid", 8088}, patient(), {});
  const ProtocolError error = failure_of([&] { client.probe(); });
  EXPECT_TRUE(contains(error.what(), "cannot find the address of no-such-host.invalid"))
      << error.what();
}

TEST(TcpStream, WaitsForAServerThatIsSlowButNotSilent) {
  FakeInfluxd fake(Dialect::k15);
  const std::string text(24, 't');
  fake.answer_everything({text, SIZE_MAX, Answer::End::kClose, 1, milliseconds(50)});
  // The whole takes 1200 ms, more than a wait may; no single wait does.
  const auto addresses = resolve(fake.endpoint(), milliseconds(20'000), {});
  TcpStream stream(fake.endpoint(), addresses, {milliseconds(20'000), milliseconds(1'000)}, {});
  stream.write(as_bytes("\x03"));
  EXPECT_EQ(read_rest(stream), text);
}

TEST(TcpStream, TriesAllAddresses) {
  Endpoint closed;
  {
    const FakeInfluxd gone(Dialect::k15);
    closed = gone.endpoint();
  }
  FakeInfluxd fake(Dialect::k15);
  fake.answer_everything({"hello"});
  std::vector<TcpAddress> addresses = resolve(closed, milliseconds(20'000), {});
  addresses.push_back(resolve(fake.endpoint(), milliseconds(20'000), {}).at(0));
  TcpStream stream(fake.endpoint(), addresses, {}, {});
  EXPECT_EQ(stream.address_index(), 1u);
  stream.write(as_bytes("\x03"));
  EXPECT_EQ(read_rest(stream), "hello");
  EXPECT_EQ(stream.bytes_read(), 5u);
}

}  // namespace
}  // namespace tsmfs::snapshot
