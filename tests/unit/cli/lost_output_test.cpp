#include <gtest/gtest.h>

#include <cerrno>
#include <streambuf>

#include "tests/unit/command_fixture.h"

namespace tsmfs::cli {
namespace {

// Output that fails so once more than some bytes have come, or when it is flushed.
class FailingBuffer : public std::streambuf {
 public:
  FailingBuffer(int error, std::streamsize room) : error_(error), room_(room) {}

 protected:
  std::streamsize xsputn(const char*, std::streamsize length) override {
    if (length <= room_) {
      room_ -= length;
      return length;
    }
    errno = error_;
    return 0;
  }
  int sync() override {
    errno = error_;
    return -1;
  }

 private:
  int error_;
  std::streamsize room_;
};

class LostOutputTest : public CommandTest {
 protected:
  static Said with_output(std::vector<std::string> words, int error, std::streamsize room) {
    FailingBuffer buffer(error, room);
    std::ostream out(&buffer);
    std::ostringstream err;
    const ExitCode code = run(std::move(words), out, err, {});
    return {code, "", err.str()};
  }
};

TEST_F(LostOutputTest, IsAFailureOfEveryCommand) {
  add(100, "db1");
  const std::string repo = root.string();
  for (const std::streamsize room : {0, 100'000})
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"--help"},
          {"--version"},
          {"snapshots", "--json", "--repo", repo},
          {"check", "--json", "--repo", repo},
          {"forget", "-n", "--json", "--keep-last", "1", "--repo", repo}}) {
      const Said said = with_output(words, ENOSPC, room);
      EXPECT_EQ(said.code, ExitCode::kFailed) << words.front();
      EXPECT_EQ(said.err, "tsmfs: cannot write the output: No space left on device\n");
    }
}

TEST_F(LostOutputTest, AReaderThatHasEnoughIsNoFailure) {
  add(100, "db1");
  const Said said = with_output({"snapshots", "--repo", root.string()}, EPIPE, 0);
  EXPECT_EQ(said.code, ExitCode::kOk);
  EXPECT_EQ(said.err, "");
}

TEST_F(LostOutputTest, HidesNoOtherStatus) {
  EXPECT_EQ(with_output({"snapshots", "--repo", (dir / "absent").string()}, ENOSPC, 0).code,
            ExitCode::kNoRepository);
}

}  // namespace
}  // namespace tsmfs::cli
