// One call among many that fails, in one of the ways that calls fail.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "index/base/error.h"

namespace tsmfs::test {

// How a call fails: before it has done anything, or after it has done all, as when an answer is
// lost on its way.
enum class When { kBefore, kAfter };

// Counts calls, and fails the one of a number (from 1), once. Thread safe.
class Faults {
 public:
  Faults(size_t fails, When when, int error_number = EIO)
      : fails_(fails), when_(when), error_number_(error_number) {}
  // Fails none: calls `at` when the call comes, which then does its work.
  Faults(size_t number, std::function<void()> at) : fails_(number), at_(std::move(at)) {}

  // Whether the call came.
  bool has_failed() const { return calls_ >= fails_; }
  // What the call was for. Requires: has_failed(), and no call is under way.
  const std::string& object() const { return object_; }

  template <typename Work>
  std::invoke_result_t<Work> call(const std::string& object, const Work& work) {
    const bool fails = ++calls_ == fails_;
    if (fails) object_ = object;
    if (fails && at_) at_();
    if (fails && !at_ && when_ == When::kBefore) fail();
    if constexpr (std::is_void_v<std::invoke_result_t<Work>>) {
      work();
      if (fails && !at_) fail();
    } else {
      auto result = work();
      if (fails && !at_) fail();
      return result;
    }
  }

 private:
  [[noreturn]] void fail() const { throw IoError("a fault at " + object_, error_number_); }

  const size_t fails_;
  const When when_ = When::kBefore;
  const int error_number_ = 0;
  const std::function<void()> at_;
  std::atomic<size_t> calls_ = 0;
  std::string object_;
};

// Calls `attempt` with the number of a call that is to fail, from 1 on, until none has failed (it
// returns false), each time before and after the call has done its work. `attempt` makes what it
// works on anew each time.
template <typename Attempt>
void with_each_fault(const Attempt& attempt) {
  for (const auto when : {When::kBefore, When::kAfter})
    for (size_t fails = 1; attempt(fails, when); ++fails) {
    }
}

}  // namespace tsmfs::test
