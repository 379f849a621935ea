#include "snapshot/export/exporter.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "index/base/error.h"
#include "snapshot/influxdb/metastore_answer.h"
#include "snapshot/stream/gzip_stream.h"
#include "tests/support/string_sink.h"
#include "tests/support/string_stream.h"
#include "tests/support/tar_reading.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;

class ExporterTest : public BackupTest {
 protected:
  ExporterTest() {
    state.shards[{"db", "rp", 3}] = {};
    state.tell(*fake);
    taken = back_up();
    repository = index::Repository::open_reader({root});
  }

  Exporter exporter(Filter filter = {}) {
    ExportOptions options;
    options.filter = std::move(filter);
    options.resurrect_deleted = resurrect_deleted;
    options.on_shard = [this](const ExportedShard& shard) { reported.push_back(shard.path); };
    return {*repository, taken, std::move(options), stop.get_token()};
  }
  static std::string read(const stdfs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  static std::set<std::string> names_in(const stdfs::path& directory) {
    std::set<std::string> names;
    for (const auto& entry : stdfs::directory_iterator(directory))
      names.insert(entry.path().filename());
    return names;
  }
  static FileContents unpack(const std::string& tar) {
    FileContents files;
    for (const auto& read : support::read_all(tar)) files[read.member.name] = read.data;
    return files;
  }
  static std::string gunzip(const std::string& compressed) {
    GzipStream stream(std::make_unique<support::StringStream>(compressed), "test", 1 << 30);
    ByteBuffer content;
    read_into(stream, 1 << 30, content);
    return std::string(as_text(content));
  }
  FileContents files_of(const ShardPath& path) const {
    FileContents files;
    for (const auto& [name, content] : state.shards.at(path))
      files[path.text() + "/" + name] = content;
    return files;
  }

  bool resurrect_deleted = true;
  ServerState state = sample_state();
  SnapshotPtr taken;
  std::unique_ptr<index::Repository> repository;
  std::vector<ShardPath> reported;
};

TEST_F(ExporterTest, LegacyFormHasATarForEachShardAndTheMetastore) {
  const stdfs::path out = dir / "out";
  const ExportReport report = exporter().write_legacy(out);
  EXPECT_EQ(names_in(out),
            (std::set<std::string>{"meta.00", "db.rp.00001.00", "db.rp.00002.00", "db.rp.00003.00",
                                   "other db.two weeks.00010.00"}));
  EXPECT_EQ(unpack(read(out / "db.rp.00001.00")), files_of({"db", "rp", 1}));
  EXPECT_EQ(unpack(read(out / "db.rp.00002.00")), files_of({"db", "rp", 2}));
  EXPECT_EQ(read(out / "db.rp.00003.00"), std::string(1024, '\0'));
  EXPECT_EQ(read(out / "meta.00"), support::frame_metastore(state.meta_db()));
  EXPECT_EQ(report.shards, 4u);
  EXPECT_EQ(report.files, 5u);
  EXPECT_EQ(report.bytes, taken->bytes);
  EXPECT_EQ(reported.size(), 4u);
  // Shard 10 lands in 1.
  ASSERT_EQ(report.warnings.size(), 1u);
  EXPECT_NE(report.warnings[0].find("concerns 10"), std::string::npos);
}

TEST_F(ExporterTest, PortableFormOfDeletedPointsIsRefusedUnlessWanted) {
  resurrect_deleted = false;
  EXPECT_THROW(exporter().write_portable(dir / "out"), Error);
  EXPECT_FALSE(stdfs::exists(dir / "out"));
  exporter().write_legacy(dir / "out");
  resurrect_deleted = true;
  EXPECT_EQ(exporter().write_portable(dir / "portable").notes.size(), 1u);
}

TEST_F(ExporterTest, PortableFormNamesItsFilesInAManifest) {
  const stdfs::path out = dir / "out";
  exporter().write_portable(out);
  std::string manifest_name;
  for (const std::string& name : names_in(out))
    if (name.ends_with(".manifest")) manifest_name = name;
  const auto manifest = nlohmann::json::parse(read(out / manifest_name));
  ASSERT_EQ(manifest.at("files").size(), 4u);
  for (const auto& file : manifest.at("files")) {
    const ShardPath path{Name::require(file.at("database").get<std::string>(), manifest_name),
                         Name::require(file.at("policy").get<std::string>(), manifest_name),
                         file.at("shardID")};
    const std::string tar = gunzip(read(out / std::string(file.at("fileName"))));
    EXPECT_EQ(tar.size(), file.at("size").get<size_t>());
    EXPECT_EQ(unpack(tar), files_of(path));
  }
  EXPECT_EQ(manifest.at("meta").at("size"), state.meta_db().size());
  const std::string meta = read(out / std::string(manifest.at("meta").at("fileName")));
  EXPECT_EQ(meta, support::protobuf::bytes(1, state.meta_db()) + support::protobuf::number(2, 0));
}

TEST_F(ExporterTest, TarHasEverythingUnderItsPath) {
  support::StringSink sink;
  exporter().write_tar(sink);
  FileContents wanted = expected(state);
  wanted["meta/meta.db"] = state.meta_db();
  wanted["db/rp/3"] = "";  // the directory of the empty shard
  EXPECT_EQ(unpack(sink.text), wanted);
}

TEST_F(ExporterTest, FiltersByDatabasePolicyAndShard) {
  const auto shards_of = [&](const Filter& filter) {
    support::StringSink sink;
    exporter(filter).write_tar(sink);
    std::set<std::string> shards;
    for (const auto& [name, content] : unpack(sink.text))
      if (name != "meta/meta.db")
        shards.insert(name.substr(0, name.find('/', name.rfind("rp/") + 3)));
    return shards;
  };
  Filter filter;
  filter.databases = {"db"};
  EXPECT_EQ(shards_of(filter), (std::set<std::string>{"db/rp/1", "db/rp/2", "db/rp/3"}));
  filter.shard = 2;
  EXPECT_EQ(shards_of(filter), (std::set<std::string>{"db/rp/2"}));
  filter.policy = "nowhere";
  EXPECT_THROW(shards_of(filter), UsageError);
}

// A server that has another database, without shards.
class ExporterOfEmptyDatabaseTest : public ExporterTest {
 protected:
  ExporterOfEmptyDatabaseTest() {
    using namespace support::protobuf;
    const std::string empty = bytes(5, bytes(1, "empty") + bytes(3, bytes(1, "autogen")));
    fake->answer_metastore({support::frame_metastore(state.meta_db() + empty)});
    fake->answer_database("empty", {"{\"Paths\":null}\n"});
    repository.reset();
    taken = back_up();
    repository = index::Repository::open_reader({root});
  }
  static Filter databases(std::vector<std::string> names) {
    Filter filter;
    filter.databases = std::move(names);
    return filter;
  }
};

TEST_F(ExporterOfEmptyDatabaseTest, TheMetastoreCarriesIt) {
  const std::vector<std::string> notes = {
      "database 'empty' has no shards: only the metastore holds it"};
  const auto portable = exporter(databases({"empty"})).write_portable(dir / "portable");
  EXPECT_EQ(portable.shards, 0u);
  ASSERT_EQ(portable.notes.size(), 2u);
  EXPECT_EQ(portable.notes[0], notes[0]);
  EXPECT_NE(portable.notes[1].find("calls that a failure"), std::string::npos);
  EXPECT_EQ(names_in(dir / "portable").size(), 2u);
  EXPECT_EQ(exporter(databases({"empty"})).write_legacy(dir / "legacy").notes, notes);
  EXPECT_EQ(names_in(dir / "legacy"), std::set<std::string>{"meta.00"});
  EXPECT_EQ(exporter(databases({"empty"})).write_tar_file(dir / "tar").notes, notes);
  const auto beside = exporter(databases({"db", "empty"})).write_legacy(dir / "beside");
  EXPECT_EQ(beside.shards, 3u);
  EXPECT_EQ(beside.notes, notes);
}

TEST_F(ExporterOfEmptyDatabaseTest, WhatIsNotThereIsRefusedBesideWhatIs) {
  Filter policy = databases({"db", "empty"}), shard = databases({"empty"});
  policy.policy = "rp";
  shard.shard = 1;
  for (const Filter& filter : {databases({"db", "nosuch"}), databases({"nosuch"}), policy, shard}) {
    EXPECT_THROW(exporter(filter).write_legacy(dir / "out"), UsageError) << filter.text();
    EXPECT_THROW(exporter(filter).write_portable(dir / "out"), UsageError) << filter.text();
    EXPECT_THROW(exporter(filter).write_tar_file(dir / "out"), UsageError) << filter.text();
  }
  EXPECT_FALSE(stdfs::exists(dir / "out"));
  // As restore, what a snapshot lacks of what its metastore names is no typing error.
  CaptureOptions how = options();
  how.filter = databases({"other db"});
  repository.reset();
  taken = back_up(how);
  repository = index::Repository::open_reader({root});
  EXPECT_THROW(exporter(databases({"db"})).write_legacy(dir / "out"), UsageError);
}

TEST_F(ExporterTest, LeavesADirectoryThatIsNotEmptyAlone) {
  const stdfs::path out = dir / "out";
  stdfs::create_directory(out);
  std::ofstream(out / "meta.00") << "theirs";
  EXPECT_THROW(exporter().write_legacy(out), UsageError);
  EXPECT_THROW(exporter().write_portable(out), UsageError);
  EXPECT_THROW(exporter().write_tar_file(out / "meta.00"), UsageError);
  EXPECT_EQ(names_in(out), std::set<std::string>{"meta.00"});
  EXPECT_EQ(read(out / "meta.00"), "theirs");
}

TEST_F(ExporterTest, DamageAndAStopLeaveNothingBehind) {
  stop.request_stop();
  EXPECT_THROW(exporter().write_legacy(dir / "out"), Cancelled);
  EXPECT_THROW(exporter().write_tar_file(dir / "out.tar"), Cancelled);
  EXPECT_EQ(names_in(dir.path()), std::set<std::string>{"repo"});
  stop = std::stop_source();
  for (const auto& pack : packs()) {
    std::fstream file(pack, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(stdfs::file_size(pack) / 3));
    file << "damage";
  }
  repository = index::Repository::open_reader({root});
  EXPECT_THROW(exporter().write_legacy(dir / "out"), CorruptError);
  EXPECT_THROW(exporter().write_portable(dir / "out"), CorruptError);
  EXPECT_THROW(exporter().write_tar_file(dir / "out.tar"), CorruptError);
  EXPECT_EQ(names_in(dir.path()), std::set<std::string>{"repo"});
}

}  // namespace
}  // namespace tsmfs::snapshot
