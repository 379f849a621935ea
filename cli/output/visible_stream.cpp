#include "cli/output/visible_stream.h"

#include <cerrno>

#include "index/base/visible.h"

namespace tsmfs::cli {

VisibleBuffer::~VisibleBuffer() {
  if (!pending_.empty()) put(visible_lines(pending_));  // a character that never ended
}

bool VisibleBuffer::write_control(std::string_view sequence) {
  const std::lock_guard lock(mutex_);
  return put(sequence);
}

bool VisibleBuffer::put(std::string_view text) {
  const auto length = static_cast<std::streamsize>(text.size());
  errno = 0;
  return keep_failure(beneath_.sputn(text.data(), length) == length);
}

bool VisibleBuffer::keep_failure(bool done) {
  if (!done && failure_ == 0) failure_ = errno != 0 ? errno : EIO;
  return done;
}

int VisibleBuffer::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

VisibleBuffer::int_type VisibleBuffer::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  const char one = traits_type::to_char_type(c);
  return xsputn(&one, 1) == 1 ? c : traits_type::eof();
}

std::streamsize VisibleBuffer::xsputn(const char* text, std::streamsize length) {
  const std::lock_guard lock(mutex_);
  pending_.append(text, static_cast<size_t>(length));
  const size_t whole = pending_.size() - unfinished_bytes(pending_);
  const std::string shown = visible_lines(std::string_view(pending_).substr(0, whole));
  pending_.erase(0, whole);
  return put(shown) ? length : 0;
}

int VisibleBuffer::sync() {
  const std::lock_guard lock(mutex_);
  errno = 0;
  return keep_failure(beneath_.pubsync() == 0) ? 0 : -1;
}

int VisibleStream::flushed_failure() {
  buffer_.pubsync();
  return buffer_.failure();
}

void write_control(std::ostream& stream, std::string_view sequence) {
  if (auto* filter = dynamic_cast<VisibleBuffer*>(stream.rdbuf()))
    filter->write_control(sequence);
  else
    stream << sequence;
}

}  // namespace tsmfs::cli
