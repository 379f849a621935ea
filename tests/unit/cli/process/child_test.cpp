#include "cli/process/child.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <thread>

#include "cli/process/pipe.h"
#include "index/base/error.h"

namespace tsmfs::cli {
namespace {

TEST(Child, SaysHowItEnded) {
  EXPECT_EQ(Child({{"sh", "-c", "exit 7"}}).wait().shell_status(), 7);
  Child killed({{"sleep", "60"}});
  EXPECT_FALSE(killed.ended());
  killed.signal(SIGKILL);
  const Ending ending = killed.wait();
  EXPECT_EQ(ending.shell_status(), 128 + SIGKILL);
  EXPECT_EQ(ending.text(), "was killed by signal 9");
}

TEST(Child, AProgramThatIsNotThereIsAnAnswerOfItsOwn) {
  try {
    Child child({{"/nonexistent/program"}});
    FAIL() << "it ran";
  } catch (const IoError& error) {
    EXPECT_EQ(error.error_number(), ENOENT);
  }
}

TEST(Child, OneThatDoesNotListenToSigtermIsKilled) {
  Child child({{"sh", "-c", "trap '' TERM; while :; do sleep 0.01; done"}});
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(child.end(std::chrono::milliseconds(200)).shell_status(), 128 + SIGKILL);
}

TEST(Child, HasItsOwnEnvironmentAndNoSignalsBlocked) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  Child child({{"sh", "-c", "[ \"$A\" = 'b c' ] && [ -z \"$HOME\" ] && kill -TERM $$"},
               std::vector<std::string>{"A=b c", "PATH=/bin:/usr/bin"}});
  EXPECT_EQ(child.wait().shell_status(), 128 + SIGTERM);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(Child, EndsWithTheProcessThatStartedIt) {
  Pipe pipe;
  const pid_t parent = ::fork();
  if (parent == 0) {
    Child child({{"sh", "-c", "echo; exec sleep 60"}, {}, pipe.write.number()});
    pipe.write.reset();
    char byte = 0;
    if (::read(pipe.read.number(), &byte, 1) != 1) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  pipe.write.reset();
  ::waitpid(parent, nullptr, 0);
  char byte = 0;
  EXPECT_EQ(::read(pipe.read.number(), &byte, 1), 0);  // nobody has the other end any more
}

TEST(Child, OutputIsOfAProgramThatEndedWell) {
  EXPECT_EQ(output_of({"sh", "-c", "echo one; echo two >&2"}), "one\ntwo\n");
  EXPECT_THROW(output_of({"sh", "-c", "echo no; exit 3"}), Error);
}

}  // namespace
}  // namespace tsmfs::cli
