// Compresses what it is given into another sink, in the gzip form.
#pragma once

#include <zlib.h>

#include <string>

#include "index/base/bytes.h"
#include "snapshot/stream/byte_sink.h"

namespace tsmfs::snapshot {

struct GzipName {
  std::string name;  // of the content
  uint32_t mtime_s = 0;
};

// Requires: `out` outlives it. Abandoned without finish(), it leaves a stream that every reader
// refuses.
class GzipSink : public ByteSink {
 public:
  GzipSink(ByteSink& out, GzipName name);
  GzipSink(const GzipSink&) = delete;
  GzipSink& operator=(const GzipSink&) = delete;
  ~GzipSink() override;
  void write(ByteView bytes) override;
  // The trailer.
  void finish();

 private:
  void deflate_all(ByteView bytes, int flush);

  ByteSink& out_;
  GzipName name_;
  gz_header header_{};
  z_stream stream_{};
  RawBuffer buffer_;
};

}  // namespace tsmfs::snapshot
