#include "index/pack/frame_pipeline.h"

#include <algorithm>

namespace tsmfs::index {

FramePipeline::FramePipeline(Options options) : options_(std::move(options)) {
  for (unsigned i = 0; i < std::max(1u, options_.threads); ++i)
    threads_.start([this] { compress_loop(); });
  threads_.start([this] { write_loop(); });
}

void FramePipeline::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void FramePipeline::begin_pack(const PackHeader& header) {
  auto item = std::make_shared<Item>();
  item->step = Step::kBeginPack;
  item->header = header;
  item->ready = true;
  enqueue(std::move(item));
}

void FramePipeline::submit(RawFrame frame) {
  auto item = std::make_shared<Item>();
  item->raw = std::move(frame);
  enqueue(std::move(item));
}

void FramePipeline::end_pack(RecipeLists lists) {
  auto item = std::make_shared<Item>();
  item->step = Step::kEndPack;
  item->lists = std::move(lists);
  item->ready = true;
  enqueue(std::move(item));
}

void FramePipeline::enqueue(ItemPtr item) {
  {
    MutexLock lock(mutex_);
    while (queue_.size() >= kFramesInFlightMax && !failure_) changed_.wait(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    queue_.push_back(std::move(item));
  }
  changed_.notify_all();
}

void FramePipeline::drain() {
  MutexLock lock(mutex_);
  while (!queue_.empty() && !failure_) changed_.wait(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

FramePipeline::ItemPtr FramePipeline::next_to_compress() {
  for (const ItemPtr& item : queue_) {
    if (item->step != Step::kFrame || item->taken) continue;
    item->taken = true;
    return item;
  }
  return nullptr;
}

void FramePipeline::compress_loop() {
  try {
    FrameCompressor compressor(options_.compression);
    while (true) {
      ItemPtr item;
      {
        MutexLock lock(mutex_);
        while (!stopping_ && !failure_ && !(item = next_to_compress())) changed_.wait(mutex_);
        if (!item) return;
      }
      RawFrame& raw = item->raw;
      StoredFrame& stored = item->stored;
      stored.kind = raw.kind;
      stored.raw_length = static_cast<uint32_t>(raw.bytes.size());
      stored.codec =
          raw.kind == BlobKind::kChunk
              ? compressor.compress_chunks(raw.bytes, raw.blobs, raw.was_in_columns, stored.stored)
              : compressor.compress(raw.bytes, stored.stored);
      stored.blobs = std::move(raw.blobs);
      ByteBuffer().swap(raw.bytes);
      {
        MutexLock lock(mutex_);
        item->ready = true;
      }
      changed_.notify_all();
    }
  } catch (...) {
    keep_failure();
  }
}

void FramePipeline::write_loop() {
  try {
    while (true) {
      ItemPtr item;
      {
        MutexLock lock(mutex_);
        while (!stopping_ && !failure_ && (queue_.empty() || !queue_.front()->ready))
          changed_.wait(mutex_);
        if (stopping_ || failure_) return;
        item = queue_.front();
      }
      write(*item);
      {
        MutexLock lock(mutex_);
        queue_.pop_front();  // only now: drain() waits for an empty queue
      }
      changed_.notify_all();
    }
  } catch (...) {
    keep_failure();
  }
}

void FramePipeline::write(Item& item) {
  switch (item.step) {
    case Step::kBeginPack:
      writer_ = std::make_unique<PackWriter>(options_.storage, item.header);
      break;
    case Step::kFrame:
      writer_->append(item.stored);
      break;
    case Step::kEndPack: {
      PackContents contents = writer_->finish();
      writer_.reset();
      contents.lists = std::move(item.lists);
      options_.on_pack(std::move(contents));
      break;
    }
  }
}

void FramePipeline::keep_failure() {
  {
    MutexLock lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
  }
  changed_.notify_all();
}

}  // namespace tsmfs::index
