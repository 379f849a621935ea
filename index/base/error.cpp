#include "index/base/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace tsmfs {

namespace {

std::string advice_for(int error_number, std::string given) {
  if (!given.empty()) return given;
  if (error_number == ENOSPC || error_number == EDQUOT)
    return "free some space and run the command again; what was stored before is intact";
  return given;
}

}  // namespace

IoError::IoError(const std::string& what, int error_number, std::string advice)
    : Error(what + ": " + std::generic_category().message(error_number),
            advice_for(error_number, std::move(advice))),
      error_number_(error_number) {}

NewerFormatError::NewerFormatError(std::string_view object, std::string_view what)
    : CorruptError(fmt::format("{} was written by a newer tsmfs ({})", object, what),
                   "use a newer tsmfs") {}

void throw_errno(const std::string& what, std::string advice) {
  throw IoError(what, errno, std::move(advice));
}

}  // namespace tsmfs
