#include "snapshot/import/backup_dir.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "index/base/error.h"
#include "snapshot/import/portable_dir.h"
#include "snapshot/import/portable_manifest.h"
#include "snapshot/stream/gzip_stream.h"
#include "tests/support/string_stream.h"
#include "tests/unit/import_fixture.h"

namespace tsmfs::snapshot {
namespace {

TEST(LegacyName, IsReadFromTheRight) {
  const auto name = parse_legacy_name("my.db.one.week.00012.03");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->names, "my.db.one.week");
  EXPECT_EQ(name->shard, 12u);
  EXPECT_EQ(name->number, 3u);
  EXPECT_EQ(parse_legacy_name("..00001.00")->names, ".");
  EXPECT_EQ(parse_legacy_name("db.rp.123456.100")->shard, 123456u);
  EXPECT_EQ(parse_legacy_name("db.rp.123456.100")->number, 100u);
}

TEST(LegacyName, MetaIsTheMetastoreAndADatabaseToo) {
  EXPECT_EQ(parse_legacy_name("meta.07")->names, "");
  EXPECT_EQ(parse_legacy_name("meta.07")->number, 7u);
  EXPECT_EQ(parse_legacy_name("meta.autogen.00001.00")->names, "meta.autogen");
}

TEST(LegacyName, RefusesOthers) {
  for (const char* name : {"", "meta", "meta.0", "meta.x0", "metadata.00", "db.rp.0001.00",
                           "db.rp.00001.0", "db.rp.00001.00.pending", "db.00001.00",
                           "db.rp.00001.-1", "db.rp.99999999999999999999999.00", "notes.txt"})
    EXPECT_FALSE(parse_legacy_name(name)) << name;
}

TEST(PortableStamp, IsATime) {
  EXPECT_EQ(format_rfc3339(*parse_portable_stamp("20160201T180236Z")), "2016-02-01T18:02:36Z");
  for (const char* stamp :
       {"", "20160201T180236", "20161301T180236Z", "2016-201T180236Z", "20160201 180236Z"})
    EXPECT_FALSE(parse_portable_stamp(stamp)) << stamp;
}

class BackupDirTest : public ImportTest {};

TEST_F(BackupDirTest, AFileThatCannotBeLookedAtStopsTheImport) {
  const auto far = make_long_path(dir / "far", "");
  write_in(far, "meta.00", "");
  EXPECT_EQ(read_backup_dir(far).runs.size(), 1u);
  write_in(far, "database.policy.00001.00", "");
  EXPECT_THROW(read_backup_dir(far), IoError);
}

TEST_F(BackupDirTest, ADirectoryThatCannotBeLookedAtIsNotAbsent) {
  std::filesystem::create_symlink(source, source);
  EXPECT_THROW(read_backup_dir(source), IoError);
  EXPECT_THROW(read_backup_dir(dir / "nothing"), UsageError);
}

TEST_F(BackupDirTest, RunsLieBetweenTheirMetastores) {
  const ShardPath one{"db", "rp", 1}, two{"other", "rp", 2};
  add_run(0, 0, {}, {{one, {}}, {two, {}}});
  add_run(1, 100, {}, {{two, {}}});
  add_run(2, 200, {}, {});
  add_run(3, 300, {}, {{one, {}}, {two, {}}});
  const BackupDir found = read_backup_dir(source);
  ASSERT_EQ(found.runs.size(), 4u);
  EXPECT_EQ(found.runs[0].archives.size(), 2u);
  ASSERT_EQ(found.runs[1].archives.size(), 1u);
  EXPECT_EQ(found.runs[1].archives[0].file.filename(), "other.rp.00002.01");
  EXPECT_TRUE(found.runs[2].archives.empty());
  ASSERT_EQ(found.runs[3].archives.size(), 2u);
  EXPECT_EQ(found.runs[3].archives[0].file.filename(), "db.rp.00001.01");  // numbers do not line up
  EXPECT_EQ(found.runs[3].archives[1].file.filename(), "other.rp.00002.02");
  EXPECT_EQ(found.runs[3].time.unix_ns, (kEpoch + 300) * kSecond);
  EXPECT_TRUE(found.notes.empty());
}

TEST_F(BackupDirTest, LostModificationTimesAreNoticed) {
  add_run(0, 0, {}, {{{"db", "rp", 1}, {}}});
  add_run(1, 0, {}, {{{"db", "rp", 1}, {}}});
  const BackupDir found = read_backup_dir(source);
  ASSERT_EQ(found.runs.size(), 2u);
  ASSERT_EQ(found.runs[1].problems.size(), 1u);
  EXPECT_NE(found.runs[1].problems[0].what.find("modification times"), std::string::npos);
}

TEST_F(BackupDirTest, OddFilesAreLeftOutWithANote) {
  add_run(0, 0, {}, {{{"db", "rp", 1}, {}}});
  write_file(source / "README", "x");
  write_file(source / "elsewhere", "x");
  std::filesystem::create_directories(source / "meta.01");
  std::filesystem::create_symlink(source / "elsewhere", source / "db.rp.00002.00");
  ASSERT_EQ(::mkfifo((source / "meta.02").c_str(), 0600), 0);
  const BackupDir found = read_backup_dir(source);
  ASSERT_EQ(found.runs.size(), 1u);
  EXPECT_EQ(found.runs[0].archives.size(), 1u);
  EXPECT_EQ(found.notes.size(), 2u);
  EXPECT_EQ(found.damaged.size(), 2u);  // what is named as a part of a backup
}

TEST_F(BackupDirTest, DataThatIsNoPartOfABackupIsNotLeftOutAsAnythingElse) {
  add_run(0, 0, {}, {{{"db", "rp", 1}, {}}});
  write_file(source / "000000001-000000001.tsm", "x");
  write_file(source / "copy of a file", std::string("\x16\xd1\x16\xd1\x01", 5));
  write_file(source / "my db 100%!a(int=)utogen.00067.%!d(MISSING)", "");
  write_file(source / "2025/11/meta.00", "x");
  write_file(source / "data/db/rp/1/000000001-000000001.tsm", "x");
  write_file(source / "notes/today", "x");
  const auto dirs = read_backup_dirs(source);
  ASSERT_EQ(dirs.size(), 1u);
  EXPECT_EQ(dirs[0].notes.size(), 1u);  // notes
  std::string damaged;
  for (const std::string& one : dirs[0].damaged) damaged += one + "\n";
  for (const char* expected :
       {"000000001-000000001.tsm", "copy of a file", "MISSING", "2025/11", "--data-dir"})
    EXPECT_NE(damaged.find(expected), std::string::npos) << expected << " in\n" << damaged;
  EXPECT_EQ(dirs[0].damaged.size(), 5u) << damaged;
}

TEST_F(BackupDirTest, AnArchiveIsKnownByItsContentWhateverItsName) {
  const ShardPath path{"my db 100%", "autogen", 67};
  add_run(0, 0, {}, {});
  write_file(source / "my db 100%!a(int=)utogen.00067.%!d(MISSING)",
             tar(path, {{"000000001-000000001.tsm", "x"}}), kEpoch + 1);
  write_file(source / "README", "x");
  const BackupDir found = read_backup_dir(source);
  ASSERT_EQ(found.runs.at(0).archives.size(), 1u);
  EXPECT_EQ(resolve_path(found.runs[0].archives[0], nullptr), path);
  EXPECT_EQ(found.notes.size(), 1u);
}

TEST_F(BackupDirTest, ArchivesWithoutAnyMetastoreAreARun) {
  write_file(source / "db.rp.00001.00", tar({"db", "rp", 1}, {{"000000001-000000001.tsm", "x"}}),
             kEpoch + 1);
  const BackupDir found = read_backup_dir(source);
  ASSERT_EQ(found.runs.size(), 1u);
  EXPECT_EQ(found.runs[0].archives.size(), 1u);
  EXPECT_TRUE(has_problem(found.runs[0].problems, Problem::Severity::kIncomplete, "", "meta.NN"));
}

TEST_F(BackupDirTest, DirectoriesBelowThatHoldBackupsAreRead) {
  const auto top = source;
  for (const char* day : {"monday", "tuesday"}) {
    source = top / day;
    add_run(0, day[0] == 'm' ? 100 : 0, {}, {});
  }
  std::filesystem::create_directories(top / "empty");
  const auto found = read_backup_dirs(top);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].notes.size(), 1u);
  EXPECT_EQ(found[1].path, top / "tuesday");  // by time
  EXPECT_EQ(found[2].path, top / "monday");
  EXPECT_THROW(read_backup_dirs(top / "empty"), UsageError);
}

TEST_F(BackupDirTest, AnInterruptedDownloadIsSaid) {
  add_run(0, 0, {}, {{{"db", "rp", 1}, {}}});
  write_file(source / "db.rp.00002.00.pending", "part", kEpoch + 5);
  EXPECT_TRUE(has_problem(read_backup_dir(source).runs.at(0).problems,
                          Problem::Severity::kIncomplete, "", "db.rp.00002.00.pending"));
}

TEST_F(BackupDirTest, ADirectoryWithoutBackupsIsRefused) {
  EXPECT_THROW(read_backup_dir(source), UsageError);
  write_file(source / "README", "x");
  EXPECT_THROW(read_backup_dir(source), UsageError);
}

TEST_F(BackupDirTest, OneBadManifestHidesNoOther) {
  add_portable("20160201T180236Z", {}, {});
  write_file(source / "20160202T180236Z.manifest", "{");
  const BackupDir found = read_backup_dir(source);
  EXPECT_EQ(found.runs.size(), 1u);
  EXPECT_EQ(found.damaged.size(), 1u);
}

TEST_F(BackupDirTest, ThePathsInsideWinOverTheName) {
  add_run(0, 0, {}, {});
  write_file(source / "db.rp.00001.00", tar({"db", "rp", 2}, {{"000000001-000000001.tsm", "x"}}),
             kEpoch + 1);
  const ShardArchive archive = read_backup_dir(source).runs.at(0).archives.at(0);
  EXPECT_EQ(resolve_path(archive, nullptr), (ShardPath{"db", "rp", 2}));
  EXPECT_FALSE(fits(archive, {"db", "rp", 2}));
}

std::string manifest_with(const std::string& files,
                          const std::string& meta = R"({"fileName":"m","size":1})") {
  return R"({"meta":)" + meta + R"(,"limited":true,"files":)" + files + "}";
}
std::string entry(const std::string& database, const std::string& shard, const std::string& file) {
  return R"({"database":)" + database + R"(,"policy":"rp","shardID":)" + shard + R"(,"fileName":)" +
         file + R"(,"size":1024,"lastModified":0})";
}

TEST(PortableManifest, IsRead) {
  const auto manifest =
      parse_portable_manifest(manifest_with("[" + entry("\"my.db\"", "7", "\"f\"") + "]"), "m");
  EXPECT_TRUE(manifest.limited);
  ASSERT_EQ(manifest.files.size(), 1u);
  EXPECT_EQ(manifest.files[0].path->text(), "my.db/rp/7");
  EXPECT_EQ(manifest.files[0].tar_bytes, 1024u);
  EXPECT_TRUE(parse_portable_manifest(manifest_with("null"), "m").files.empty());
  const std::string nameless =
      R"([{"database":"","policy":"","shardID":7,"fileName":"f","size":1024,"lastModified":0}])";
  const auto of_shard = parse_portable_manifest(manifest_with(nameless), "m");  // backup -shard
  EXPECT_EQ(of_shard.files.at(0).shard, 7u);
  EXPECT_FALSE(of_shard.files.at(0).path);
}

TEST(PortableManifest, HostileOnesAreRefused) {
  const std::string good = entry("\"db\"", "7", "\"f\"");
  for (const std::string& json :
       {std::string(),
        std::string("{"),
        std::string("[]"),
        std::string("null"),
        std::string(100'000, '['),
        manifest_with("{}"),
        manifest_with("[1]"),
        manifest_with("[" + good + "," + good + "]"),
        manifest_with("[" + entry("\"..\"", "7", "\"f\"") + "]"),
        manifest_with("[" + entry("\"a/b\"", "7", "\"f\"") + "]"),
        manifest_with("[" + entry("\"db\"", "-7", "\"f\"") + "]"),
        manifest_with("[" + entry("\"db\"", "7.5", "\"f\"") + "]"),
        manifest_with("[" + entry("\"db\"", "\"7\"", "\"f\"") + "]"),
        manifest_with("[" + entry("\"db\"", "7", "\"../f\"") + "]"),
        manifest_with("[" + entry("\"db\"", "7", "\"/etc/passwd\"") + "]"),
        manifest_with("[" + entry("\"db\"", "7", "9") + "]"),
        manifest_with("[]", R"({"fileName":"../m","size":1})"),
        manifest_with("[]", R"({"fileName":"m"})"),
        manifest_with("[]", R"({"fileName":"m","size":-1})"),
        manifest_with("[[[[[[[[1]]]]]]]]")})
    EXPECT_THROW(parse_portable_manifest(json, "m"), ProtocolError) << json.substr(0, 200);
}

std::string inflated(const std::string& compressed, uint64_t bytes_max = UINT64_MAX,
                     size_t piece = SIZE_MAX) {
  GzipStream stream(std::make_unique<support::StringStream>(compressed, piece), "test.gz",
                    bytes_max);
  ByteBuffer out;
  read_into(stream, uint64_t{1} << 30, out);
  return std::string(as_text(out));
}

TEST(GzipStream, GivesTheContentBack) {
  const std::string content = std::string(300'000, 'a') + tsm(50, 1);
  EXPECT_EQ(inflated(support::gzip(content)), content);
  EXPECT_EQ(inflated(support::gzip(content), content.size(), 7), content);
  EXPECT_EQ(inflated(support::gzip("")), "");
}

TEST(GzipStream, DamageIsSeen) {
  const std::string sound = support::gzip(tsm(50, 1));
  for (size_t length : {size_t{0}, size_t{5}, sound.size() / 2, sound.size() - 1})
    EXPECT_THROW(inflated(sound.substr(0, length)), ProtocolError) << length;
  std::string flipped = sound;
  flipped[sound.size() / 2] ^= 0x20;
  EXPECT_THROW(inflated(flipped), ProtocolError);
  EXPECT_THROW(inflated(sound + sound), ProtocolError);
  EXPECT_THROW(inflated(sound + "x"), ProtocolError);
  EXPECT_THROW(inflated("not gzip at all"), ProtocolError);
}

TEST(GzipStream, ABombEndsAtTheBound) {
  const std::string bomb = support::gzip(std::string(64 << 20, '\0'));
  ASSERT_LT(bomb.size(), 100'000u);
  EXPECT_THROW(inflated(bomb, 1 << 20), ProtocolError);
}

}  // namespace
}  // namespace tsmfs::snapshot
