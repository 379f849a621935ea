#include "snapshot/server/influxd_upload.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "index/base/error.h"
#include "tests/support/upload_server.h"

namespace tsmfs::snapshot {
namespace {

using std::chrono::milliseconds;

class InfluxdUploadTest : public ::testing::Test {
 protected:
  InfluxdUpload upload() {
    return {server.endpoint(), {milliseconds(20'000), milliseconds(20'000)}, stop.get_token()};
  }
  ShardNumbers import(const std::set<uint64_t>& shards,
                      const ImportNames& names = {"a", "b", "", {}}) {
    return upload().import_metastore(as_bytes("protobuf"), names, shards);
  }

  support::UploadServer server;
  std::stop_source stop;
};

TEST_F(InfluxdUploadTest, SendsTheMetastoreBehindTheRequest) {
  server.answer_update({{1, 11}, {2, 12}});
  const ShardNumbers numbers = import({1, 2}, {"db", "new", "rp", "new rp"});
  EXPECT_EQ(numbers, (ShardNumbers{{1, 11}, {2, 12}}));
  const auto updates = server.updates();
  ASSERT_EQ(updates.size(), 1u);
  EXPECT_EQ(updates[0].meta_db, "protobuf");
  const auto json = nlohmann::json::parse(updates[0].json);
  EXPECT_EQ(json.at("BackupDatabase"), "db");
  EXPECT_EQ(json.at("RestoreDatabase"), "new");
  EXPECT_EQ(json.at("BackupRetentionPolicy"), "rp");
  EXPECT_EQ(json.at("RestoreRetentionPolicy"), "new rp");
  EXPECT_EQ(json.at("UploadSize"), 8);
}

TEST_F(InfluxdUploadTest, NoPairsMeanThatNothingWasImported) {
  server.answer_update({});
  EXPECT_TRUE(import({1, 2}).empty());
}

TEST_F(InfluxdUploadTest, RefusesAnswersThatCannotBe) {
  const std::string magic("\0\0\0\0\x59\x59\x01\x01", 8);
  for (const auto& answer : {std::string(), std::string("HTTP/1.1 400 Bad Request\r\n"), magic,
                             magic + std::string("\xff\xff\xff\xff\xff\xff\xff\xff", 8),
                             magic + std::string("\0\0\0\0\0\0\0\1", 8)}) {
    support::UploadServer other;
    other.answer_update_with(answer);
    const InfluxdUpload to(other.endpoint(), {milliseconds(20'000), milliseconds(20'000)}, {});
    EXPECT_THROW(to.import_metastore(as_bytes("protobuf"), {"a", "b", "", {}}, {1}), ProtocolError)
        << answer;
  }
  server.answer_update({{3, 13}});
  EXPECT_THROW(import({1, 2}), ProtocolError);
}

TEST_F(InfluxdUploadTest, RefusesNumbersThatAreGivenTwice) {
  server.answer_update({{1, 11}, {2, 11}});
  EXPECT_THROW(import({1, 2}), ProtocolError);
}

TEST_F(InfluxdUploadTest, SendsAShardAndWaitsForTheServersEnd) {
  const std::string large(1'000'000, 'x');
  upload().upload_shard(11, [&](ByteSink& sink) {
    sink.write(as_bytes("begin"));
    sink.write(as_bytes(large));
    sink.write(as_bytes("end"));
  });
  // The server ends the connection after it has kept what came.
  EXPECT_EQ(server.uploads().at(11), "begin" + large + "end");
}

TEST_F(InfluxdUploadTest, ServerThatGivesUpIsAnError) {
  server.reset_after(11, 1000);
  EXPECT_THROW(upload().upload_shard(11,
                                     [&](ByteSink& sink) {
                                       const std::string piece(1 << 20, 'x');
                                       for (int i = 0; i < 64; ++i) sink.write(as_bytes(piece));
                                     }),
               ProtocolError);
}

TEST_F(InfluxdUploadTest, WhatTheWriterThrowsGoesOn) {
  EXPECT_THROW(upload().upload_shard(11,
                                     [&](ByteSink& sink) {
                                       sink.write(as_bytes("begin"));
                                       throw CorruptError("damaged");
                                     }),
               CorruptError);
}

TEST_F(InfluxdUploadTest, StopsWhenItIsTold) {
  auto to = upload();
  stop.request_stop();
  EXPECT_THROW(to.import_metastore(as_bytes("p"), {"a", "b", "", {}}, {}), Cancelled);
}

}  // namespace
}  // namespace tsmfs::snapshot
