// The wall between the kernel's requests and our code: whatever a handler does, its request is
// answered, and answered once.
#pragma once

#include <exception>
#include <string>

#include "fs/fuse.h"

namespace tsmfs::fs {

// The one answer of a request. Not thread safe; lives as long as its handler runs.
class Reply {
 public:
  using SendError = int (*)(fuse_req_t, int);

  // `send_error` takes the place of fuse_reply_err in tests.
  explicit Reply(fuse_req_t request, SendError send_error = fuse_reply_err)
      : request_(request), send_error_(send_error) {}
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;

  // Answers by function(request, arguments...), one of fuse_reply_*. Returns false when the kernel
  // has not taken the answer. A second answer is dropped, since the first has ended the request.
  template <typename Function, typename... Arguments>
  bool send(Function function, Arguments... arguments) {
    if (!claim()) return false;
    return function(request_, arguments...) == 0;
  }
  void error(int error_number) { send(send_error_, error_number); }
  bool answered() const { return answered_; }

 private:
  bool claim();

  fuse_req_t request_;
  SendError send_error_;
  bool answered_ = false;
};

// What the kernel is told of `error`. The errors of the file system under the repository that would
// make no sense in this one are EIO.
int error_number_of(const std::exception_ptr& error) noexcept;

// Ends the request of a handler that threw `error`, or returned without an answer if `error` is
// null. Logs why.
void end_failed(Reply& reply, const std::string& what, const std::exception_ptr& error) noexcept;

// Runs handler(reply). `what()` names request and object for the log ("read of /backups/...");
// called only when something failed.
template <typename What, typename Handler>
void answer(Reply& reply, const What& what, const Handler& handler) noexcept {
  std::exception_ptr error;
  try {
    handler(reply);
    if (reply.answered()) return;
  } catch (...) {
    error = std::current_exception();
  }
  try {
    end_failed(reply, what(), error);
  } catch (...) {
    end_failed(reply, {}, error);
  }
}

}  // namespace tsmfs::fs
