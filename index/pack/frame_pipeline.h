// Frames on their way to disk: compressed on several threads, written in order by one more.
//
//   submit → queue → compressing threads → (in order) → writing thread: PackWriter → pack durable →
//   on_pack
#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "index/base/mutex.h"
#include "index/base/thread_group.h"
#include "index/codec/frame_codec.h"
#include "index/format/pack_contents.h"
#include "index/pack/pack_writer.h"

namespace tsmfs::index {

// A frame before compression.
struct RawFrame {
  BlobKind kind = BlobKind::kChunk;
  ByteBuffer bytes;
  std::vector<BlobEntry> blobs;  // id and length each
  bool was_in_columns = false;   // where the chunks come from
};

// begin_pack, submit, end_pack and drain come from one thread at a time. A failure on any thread is
// kept and thrown by each later call. Destroyed before drain(), it abandons the packs that are not
// durable yet.
class FramePipeline {
 public:
  struct Options {
    Storage& storage;
    Compression compression;
    unsigned threads = 2;
    // Called on the writing thread for each pack that has become durable, in order.
    std::function<void(PackContents)> on_pack;
  };
  // Throws: IoError when there are no threads to be had.
  explicit FramePipeline(Options options);

  void begin_pack(const PackHeader& header);
  // Waits while kFramesInFlightMax frames are under way.
  void submit(RawFrame frame);
  // `lists` goes into the pack's contents.
  void end_pack(RecipeLists lists);
  // Waits until everything is durable and on_pack has been called for it.
  void drain();

 private:
  static constexpr size_t kFramesInFlightMax = 64;
  enum class Step { kBeginPack, kFrame, kEndPack };
  struct Item {
    Step step = Step::kFrame;
    PackHeader header;
    RecipeLists lists;
    RawFrame raw;
    StoredFrame stored;
    bool taken = false;  // by a compressing thread
    bool ready = false;
  };
  using ItemPtr = std::shared_ptr<Item>;

  void enqueue(ItemPtr item);
  ItemPtr next_to_compress() TSMFS_REQUIRES(mutex_);
  void compress_loop();
  void write_loop();
  void write(Item& item);
  void keep_failure();
  void stop();

  Options options_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<ItemPtr> queue_ TSMFS_GUARDED_BY(mutex_);
  bool stopping_ TSMFS_GUARDED_BY(mutex_) = false;
  std::exception_ptr failure_ TSMFS_GUARDED_BY(mutex_);
  std::unique_ptr<PackWriter> writer_;       // the writing thread's
  ThreadGroup threads_{[this] { stop(); }};  // last: they use the rest
};

}  // namespace tsmfs::index
