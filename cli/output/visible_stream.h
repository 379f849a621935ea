// The last thing that a command's text goes through on its way out: whatever a terminal would obey
// comes out visible (index/base/visible.h), wherever it came from. Newlines pass.
#pragma once

#include <mutex>
#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

namespace tsmfs::cli {

// Keeps nothing back but the begin of a character whose end has not come. Thread safe, each write
// by itself.
class VisibleBuffer : public std::streambuf {
 public:
  // Requires: `beneath` outlives it.
  explicit VisibleBuffer(std::streambuf& beneath) : beneath_(beneath) {}
  VisibleBuffer(const VisibleBuffer&) = delete;
  VisibleBuffer& operator=(const VisibleBuffer&) = delete;
  ~VisibleBuffer() override;
  // Past the filter.
  bool write_control(std::string_view sequence);
  // The errno of the first write that failed; 0 when none has.
  int failure() const;

 protected:
  int_type overflow(int_type c) override;
  std::streamsize xsputn(const char* text, std::streamsize length) override;
  int sync() override;

 private:
  bool put(std::string_view text);
  bool keep_failure(bool done);
  mutable std::mutex mutex_;
  std::streambuf& beneath_;
  std::string pending_;
  int failure_ = 0;
};

class VisibleStream : public std::ostream {
 public:
  // Requires: `beneath` outlives it.
  explicit VisibleStream(std::ostream& beneath) : std::ostream(nullptr), buffer_(*beneath.rdbuf()) {
    rdbuf(&buffer_);
  }
  // Of all that was written so far, on its way to where it goes; as VisibleBuffer::failure().
  int flushed_failure();

 private:
  VisibleBuffer buffer_;
};

// A control sequence of the program's own, such as "clear the line", to a stream that may be a
// VisibleStream.
void write_control(std::ostream& stream, std::string_view sequence);

}  // namespace tsmfs::cli
