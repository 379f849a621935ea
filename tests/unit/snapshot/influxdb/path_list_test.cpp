#include "snapshot/influxdb/path_list.h"

#include <gtest/gtest.h>

#include <random>

#include "index/base/error.h"

namespace tsmfs::snapshot {
namespace {

std::vector<ShardPath> paths_of(std::string_view json) {
  return parse_path_list(json, "my.db", "server").shards;
}

TEST(PathList, ReadsAndSortsPaths) {
  const auto paths = paths_of("{\"Paths\":[\"my.db/two weeks/10\",\"my.db/autogen/9\"]}\n");
  ASSERT_EQ(paths.size(), 2u);
  EXPECT_EQ(paths[0], (ShardPath{"my.db", "autogen", 9}));
  EXPECT_EQ(paths[1], (ShardPath{"my.db", "two weeks", 10}));
}

TEST(PathList, TakesNullAndEmptyForNoShards) {
  EXPECT_TRUE(paths_of("{\"Paths\":null}\n").empty());
  EXPECT_TRUE(paths_of("{\"Paths\":[]}\n").empty());
}

TEST(PathList, ReadsGoEscapes) {
  const auto paths =
      parse_path_list("{\"Paths\":[\"a\\u003cb\\u0026\\u65e5/r/1\"]}", "a<b&日", "server");
  EXPECT_EQ(paths.shards.at(0).database, "a<b&日");
}

TEST(PathList, RejectsOtherJson) {
  for (const char* json : {"null",
                           "[]",
                           "{}",
                           "1",
                           "\"Paths\"",
                           "{\"Paths\":1}",
                           "{\"Paths\":{}}",
                           "{\"Paths\":\"my.db/r/1\"}",
                           "{\"Paths\":true}",
                           "{\"Paths\":[null]}",
                           "{\"Paths\":[1]}",
                           "{\"Paths\":[[]]}",
                           "{\"Paths\":[1.5]}",
                           "{\"paths\":[]}",
                           "{\"Paths\":[],\"Paths\":[]}",
                           "{\"Paths\":[],\"More\":1}",
                           "{\"More\":1,\"Paths\":[]}",
                           "{\"Paths\":[]}{}",
                           "{\"Paths\":[]} x",
                           "not json",
                           "HTTP/1.1 400 Bad Request",
                           "{\"Paths\":[\"my.db/r/1\",]}",
                           "{\"Paths\":[\"\\ud800/r/1\"]}",
                           "{\"Paths\":[\"\xff/r/1\"]}"})
    EXPECT_THROW(paths_of(json), ProtocolError) << json;
}

TEST(PathList, RejectsPathsThatAreNoShardsOfTheDatabase) {
  for (const char* path : {"", "my.db", "../r/1", "other/r/1", "/my.db/r/1", "my.db2/r/1"})
    EXPECT_THROW(paths_of(std::string("{\"Paths\":[\"") + path + "\"]}"), ProtocolError) << path;
}

TEST(PathList, TellsPathsThatCannotBeUsedFromTheOthers) {
  for (const char* path : {"my.db/", "my.db/r", "my.db/r/x", "my.db/../1", "my.db//1",
                           "my.db/a/b/1", "my.db/../../etc/1", "my.db/r/007"}) {
    const auto list = parse_path_list(std::string("{\"Paths\":[\"my.db/r/2\",\"") + path + "\"]}",
                                      "my.db", "server");
    EXPECT_EQ(list.unusable, std::vector<std::string>{path});
    EXPECT_EQ(list.shards, (std::vector<ShardPath>{{"my.db", "r", 2}}));
  }
}

TEST(PathList, RejectsAPathThatComesTwice) {
  EXPECT_THROW(paths_of("{\"Paths\":[\"my.db/r/1\",\"my.db/s/2\",\"my.db/r/1\"]}"), ProtocolError);
}

TEST(PathList, RejectsMoreThanAServerHas) {
  const auto list = [](size_t count) {
    std::string json = "{\"Paths\":[\"my.db/r/1\"";
    for (size_t i = 2; i <= count; ++i) json += ",\"my.db/r/" + std::to_string(i) + "\"";
    return json + "]}";
  };
  EXPECT_EQ(paths_of(list(kPathsMax)).size(), kPathsMax);
  EXPECT_THROW(paths_of(list(kPathsMax + 1)), ProtocolError);
}

TEST(PathList, RejectsEveryCut) {
  const std::string json = "{\"Paths\":[\"my.db/r/1\",\"my.db/r/2\"]}";
  for (size_t length = 0; length < json.size(); ++length)
    EXPECT_THROW(paths_of(json.substr(0, length)), ProtocolError);
}

TEST(PathList, RejectsDeepNestingAtOnce) {
  EXPECT_THROW(paths_of(std::string(10'000'000, '[')), ProtocolError);
  EXPECT_THROW(paths_of("{\"Paths\":" + std::string(10'000'000, '[')), ProtocolError);
}

TEST(PathList, SurvivesRandomDamage) {
  const std::string sound =
      "{\"Paths\":[\"my.db/two weeks/10\",\"my.db/autogen/9\",\"my.db/autogen/11\"]}\n";
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string json = sound;
    for (int i = 0; i < 3; ++i) json[random() % json.size()] = static_cast<char>(random());
    try {
      for (const ShardPath& path : paths_of(json)) EXPECT_EQ(path.database, "my.db");
    } catch (const ProtocolError&) {
    }
  }
}

}  // namespace
}  // namespace tsmfs::snapshot
