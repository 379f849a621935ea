#include "index/base/thread_group.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <stop_token>
#include <thread>

#include "fs/read_ahead.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "index/base/mutex.h"
#include "index/pack/frame_pipeline.h"
#include "index/repository/repository_writer.h"
#include "snapshot/stream/file_sequence_reader.h"
#include "tests/support/store_fixture.h"

namespace tsmfs {
namespace {

constexpr size_t kStackBytes = size_t{512} << 20;
constexpr unsigned kThreads = 4;

// While it lives, the system has memory for the stack of one or two more threads, and of no fourth.
// (A limit of processes does not bind root.) A test that waits for ever is ended by SIGALRM.
class RoomForFewThreads {
 public:
  RoomForFewThreads() {
    ::alarm(60);
    ::pthread_attr_init(&attributes_);
    ::pthread_getattr_default_np(&attributes_);
    pthread_attr_t large;
    ::pthread_attr_init(&large);
    ::pthread_attr_setstacksize(&large, kStackBytes);
    EXPECT_EQ(::pthread_setattr_default_np(&large), 0);
    ::pthread_attr_destroy(&large);
    EXPECT_EQ(::getrlimit(RLIMIT_AS, &limit_), 0);
    rlimit few = limit_;
    few.rlim_cur = address_space() + 2 * kStackBytes + kStackBytes / 2;
    EXPECT_EQ(::setrlimit(RLIMIT_AS, &few), 0);
  }
  ~RoomForFewThreads() {
    ::setrlimit(RLIMIT_AS, &limit_);
    ::pthread_setattr_default_np(&attributes_);
    ::pthread_attr_destroy(&attributes_);
    ::alarm(0);
  }

 private:
  static uint64_t address_space() {
    char text[64] = {};
    const Fd file = open_file("/proc/self/statm", 0);
    EXPECT_GT(::read(file.number(), text, sizeof text - 1), 0);
    return std::stoull(text) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  pthread_attr_t attributes_;
  rlimit limit_{};
};

TEST(ThreadGroup, TellsItsThreadsToEndAndAwaitsThem) {
  std::stop_source stop;
  std::atomic<int> ended = 0;
  {
    ThreadGroup threads([&] { stop.request_stop(); });
    for (unsigned i = 0; i < kThreads; ++i)
      threads.start([&] {
        while (!stop.stop_requested()) std::this_thread::yield();
        ++ended;
      });
  }
  EXPECT_EQ(ended, static_cast<int>(kThreads));
}

TEST(ThreadGroup, JoinAwaitsWhatEndsByItself) {
  std::atomic<int> done = 0;
  ThreadGroup threads([] {});
  for (unsigned i = 0; i < kThreads; ++i) threads.start([&] { ++done; });
  threads.join();
  EXPECT_EQ(done, static_cast<int>(kThreads));
}

TEST(ThreadGroup, ThreadThatCannotStartIsAnErrorAndEndsTheOthers) {
  const RoomForFewThreads few;
  std::stop_source stop;
  std::atomic<int> ended = 0;
  int started = 0;
  try {
    ThreadGroup threads([&] { stop.request_stop(); });
    for (unsigned i = 0; i < kThreads; ++i, ++started)
      threads.start([&] {
        while (!stop.stop_requested()) std::this_thread::yield();
        ++ended;
      });
    FAIL() << "all threads were started";
  } catch (const IoError& error) {
    EXPECT_EQ(error.error_number(), EAGAIN) << error.what();
  }
  EXPECT_GE(started, 1) << "the first one was to start";
  EXPECT_EQ(ended, started);
}

index::FileId store_a_byte(const std::filesystem::path& root) {
  const auto repository = index::Repository::open_writer({root, "test"});
  index::RepositoryWriter writer(*repository, {});
  const index::FileId id = test::put(writer, as_bytes("x"), index::FileKind::kOther).id;
  writer.flush();
  return id;
}

// Whatever has threads throws, instead of waiting for those that it has already.
TEST(ThreadGroup, ConstructorsWithThreadsThrowWhenOneCannotStart) {
  const test::TempDir dir;
  index::Repository::create({dir / "repo"});
  const index::FileId file = store_a_byte(dir / "repo");
  const auto repository = index::Repository::open_reader({dir / "repo"});
  const RoomForFewThreads few;
  const index::FramePipeline::Options options{
      repository->storage(), {}, kThreads, [](const index::PackContents&) {}};
  EXPECT_THROW(index::FramePipeline pipeline(options), IoError);
  // More files than may be read ahead: the threads wait for somebody to take them.
  const std::vector<snapshot::WantedFile> files(2 * snapshot::FileSequenceReader::kWindowsAheadMax,
                                                {file, 1});
  EXPECT_THROW(snapshot::FileSequenceReader ahead(repository->objects(), files, kThreads), IoError);
  EXPECT_THROW(fs::ReadAhead ahead(size_t{1} << 20, kThreads), IoError);
}

}  // namespace
}  // namespace tsmfs
