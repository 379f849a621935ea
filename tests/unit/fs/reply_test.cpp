#include "fs/reply.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <new>
#include <stdexcept>
#include <vector>

#include "index/base/error.h"

namespace tsmfs::fs {
namespace {

// What reached the kernel: error numbers, or 0 for an answer.
struct Kernel {
  std::vector<int> answers;
  fuse_req_t request() { return reinterpret_cast<fuse_req_t>(this); }
  static Kernel& of(fuse_req_t request) { return *reinterpret_cast<Kernel*>(request); }
};

int send_error(fuse_req_t request, int error_number) {
  Kernel::of(request).answers.push_back(error_number);
  return 0;
}
int send_answer(fuse_req_t request, int result) {
  Kernel::of(request).answers.push_back(0);
  return result;
}

template <typename Handler>
std::vector<int> answers_to(const Handler& handler) {
  Kernel kernel;
  Reply reply(kernel.request(), send_error);
  answer(
      reply, [] { return std::string("a test"); }, handler);
  return kernel.answers;
}

const std::vector<int> kAnswered = {0};

TEST(Reply, PassesTheAnswerOn) {
  EXPECT_EQ(answers_to([](Reply& reply) { reply.send(send_answer, 0); }), kAnswered);
  EXPECT_EQ(answers_to([](Reply& reply) { reply.error(ENOENT); }), std::vector<int>{ENOENT});
}

TEST(Reply, AnswersForAHandlerThatDoesNot) {
  EXPECT_EQ(answers_to([](Reply&) {}), std::vector<int>{EIO});
}

TEST(Reply, TurnsExceptionsIntoErrorNumbers) {
  EXPECT_EQ(answers_to([](Reply&) { throw CorruptError("a broken frame"); }),
            std::vector<int>{EIO});
  EXPECT_EQ(answers_to([](Reply&) { throw IoError("a pack", EACCES); }), std::vector<int>{EACCES});
  EXPECT_EQ(answers_to([](Reply&) { throw std::bad_alloc(); }), std::vector<int>{ENOMEM});
  EXPECT_EQ(answers_to([](Reply&) { throw std::logic_error("a mistake of ours"); }),
            std::vector<int>{EIO});
  EXPECT_EQ(answers_to([](Reply&) { throw 42; }), std::vector<int>{EIO});
}

TEST(Reply, HidesErrorsThatMakeNoSenseInTheMount) {
  for (const int senseless : {ENOENT, ENOSPC, EEXIST, EROFS, ENOTDIR, EINVAL}) {
    EXPECT_EQ(answers_to([=](Reply&) { throw IoError("a pack", senseless); }),
              std::vector<int>{EIO});
  }
}

TEST(Reply, AnswersOnceWhenTheHandlerThrowsAfterwards) {
  EXPECT_EQ(answers_to([](Reply& reply) {
              reply.send(send_answer, 0);
              throw CorruptError("too late");
            }),
            kAnswered);
}

TEST(Reply, AnswersOnceWhenTheHandlerAnswersTwice) {
  EXPECT_EQ(answers_to([](Reply& reply) {
              EXPECT_TRUE(reply.send(send_answer, 0));
              EXPECT_FALSE(reply.send(send_answer, 0));
              reply.error(EIO);
            }),
            kAnswered);
}

TEST(Reply, SaysWhenTheKernelDidNotTakeTheAnswer) {
  EXPECT_EQ(answers_to([](Reply& reply) { EXPECT_FALSE(reply.send(send_answer, -ENOENT)); }),
            kAnswered);
}

TEST(Reply, AnswersWhenTheObjectCannotBeNamed) {
  Kernel kernel;
  Reply reply(kernel.request(), send_error);
  answer(
      reply, []() -> std::string { throw std::runtime_error("no name"); },
      [](Reply&) { throw CorruptError("broken"); });
  EXPECT_EQ(kernel.answers, std::vector<int>{EIO});
}

}  // namespace
}  // namespace tsmfs::fs
