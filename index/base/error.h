// The kinds of failure tsmfs knows. Each carries what happened to which object, and what to do
// about it.
//
// Absence that is normal is std::optional, never an exception. cli/process/exit_code maps each kind
// to an exit status.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace tsmfs {

class Error : public std::runtime_error {
 public:
  // `what` names the object and says what happened; `advice` is the next step for a person, or
  // empty.
  explicit Error(const std::string& what, std::string advice = {})
      : std::runtime_error(what), advice_(std::move(advice)) {}
  const std::string& advice() const noexcept { return advice_; }

 private:
  std::string advice_;
};

// A system call failed on an object that ought to be usable.
class IoError : public Error {
 public:
  // Appends strerror(error_number) to `what`.
  IoError(const std::string& what, int error_number, std::string advice = {});
  int error_number() const noexcept { return error_number_; }

 private:
  int error_number_;
};

// Stored or received bytes are not what they must be.
class CorruptError : public Error {
 public:
  using Error::Error;
};

// Something stored is not there, though other things that are stored need it.
class MissingError : public CorruptError {
 public:
  using CorruptError::CorruptError;
};

// Stored bytes that are sound, and of a kind that this program does not know: for reading they are
// as good as damaged, but nobody may take them out of the way, or what they may need.
class NewerFormatError : public CorruptError {
 public:
  NewerFormatError(std::string_view object, std::string_view what);
};

// A server could not be reached, or answered something that the snapshot protocol does not allow.
class ProtocolError : public Error {
 public:
  using Error::Error;
};

// Somebody else holds the thing.
class BusyError : public Error {
 public:
  using Error::Error;
};

// The command line, or the thing it names, makes no sense.
class UsageError : public Error {
 public:
  using Error::Error;
};

// There is no tsmfs repository at the place named.
class NoRepositoryError : public Error {
 public:
  using Error::Error;
};

// Something that tsmfs relies on does not hold: a fault of the program, found before anything was
// published on the strength of it.
class InvariantError : public Error {
 public:
  explicit InvariantError(const std::string& what)
      : Error(
            "an invariant does not hold: " + what,
            "nothing was published; this is a fault in tsmfs, please report it with this message") {
  }
};

// A signal or a caller asked for an end.
class Cancelled : public Error {
 public:
  Cancelled() : Error("interrupted") {}
};

// Throws IoError for the current errno.
[[noreturn]] void throw_errno(const std::string& what, std::string advice = {});

}  // namespace tsmfs
