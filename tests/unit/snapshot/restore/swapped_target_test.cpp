// Restore as root into directories that somebody swaps for links while it works.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "tests/unit/hostile_target_fixture.h"

namespace tsmfs::snapshot {
namespace {

using SwappedTargetTest = HostileTargetTest;

// Directories become links to the victim's, and themselves again, all the time.
TEST_F(SwappedTargetTest, LinksSwappedInWhileRestoreWorksLeadNowhere) {
  run();
  const auto swap = [&](const stdfs::path& path, const stdfs::path& target, auto work) {
    const stdfs::path trap = home_ / "trap";
    stdfs::create_directory_symlink(target, trap);
    give_to(trap, kOtherUser, kOtherGroup);
    std::atomic<bool> done = false;
    std::thread swapper([&] {
      while (!done) ::renameat2(AT_FDCWD, trap.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE);
    });
    for (int i = 0; i < 10; ++i) {
      try {
        work();
      } catch (const std::exception&) {
        // Refused, as it may be.
      }
    }
    done = true;
    swapper.join();
    for (const stdfs::path& each : {trap, path})
      if (S_ISLNK(own_status_of(each).st_mode)) stdfs::remove(each);
    if (stdfs::exists(trap)) stdfs::rename(trap, path);
    EXPECT_EQ(everything(victim_), victim_before_) << path;
  };
  request_.overwrite = true;
  for (const auto& [path, target] : std::map<std::string, std::string>{
           {"data", "."}, {"data/db", "db"}, {"data/db/autogen", "db/autogen"}, {"meta", "."}})
    swap(home_ / path, victim_ / target, [&] { run(); });
  // What is renamed into a name between its making and its opening is not given away.
  give_to(metadir_, kOtherUser, kOtherGroup);
  swap(metadir_ / "meta.db", victim_ / "meta.db", [&] { run(); });
  mine();
  stdfs::remove_all(datadir_ / "db");
  run();
}

// The shard's staging directory becomes a link, or a directory of root's, as soon as it is there.
TEST_F(SwappedTargetTest, AStagingDirectoryThatIsSwappedLeadsNowhere) {
  const stdfs::path policy = datadir_ / "db/autogen", trap = policy / "trap";
  stdfs::create_directories(policy);
  mine();
  for (const bool link : {true, false}) {
    if (link)
      stdfs::create_directory_symlink(victim_ / "2", trap);
    else
      stdfs::create_directory(trap);  // root's
    std::atomic<bool> done = false;
    std::thread swapper([&] {
      while (!done)
        ::renameat2(AT_FDCWD, trap.c_str(), AT_FDCWD, (policy / ".2.tsmfs-restore").c_str(),
                    RENAME_EXCHANGE);
    });
    request_.overwrite = true;
    for (int i = 0; i < 15; ++i) {
      try {
        run();
      } catch (const std::exception&) {
        // Refused, as it may be.
      }
    }
    done = true;
    swapper.join();
    EXPECT_EQ(everything(victim_), victim_before_);
    for (const auto& entry : stdfs::directory_iterator(policy))
      EXPECT_TRUE(link || own_status_of(entry.path()).st_uid != 0 || stdfs::is_empty(entry.path()))
          << "written into root's own";
    stdfs::remove_all(datadir_ / "db");
    stdfs::create_directories(policy);
    mine();
  }
}

}  // namespace
}  // namespace tsmfs::snapshot
