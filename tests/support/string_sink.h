// A ByteSink that keeps what it is given.
#pragma once

#include <functional>
#include <string>

#include "snapshot/stream/byte_sink.h"

namespace tsmfs::support {

class StringSink : public snapshot::ByteSink {
 public:
  void write(ByteView bytes) override {
    text += as_text(bytes);
    if (after_write) after_write(text);
  }
  std::string text;
  std::function<void(const std::string&)> after_write;
};

}  // namespace tsmfs::support
