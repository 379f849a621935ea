// Reads a whole tar for a test, or says why TarReader refuses it.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "index/base/error.h"
#include "snapshot/stream/tar_reader.h"
#include "tests/support/string_stream.h"
#include "tests/support/tar_builder.h"

namespace tsmfs::support {

using snapshot::TarMember;
using snapshot::TarOptions;
using snapshot::TarReader;

struct ReadMember {
  TarMember member;
  std::string data;
};

inline std::vector<ReadMember> read_all(const std::string& tar, TarOptions options = {},
                                        size_t piece_bytes_max = SIZE_MAX) {
  StringStream stream(tar, piece_bytes_max);
  TarReader reader(stream, "test.tar", options);
  std::vector<ReadMember> all;
  std::byte buffer[1000];
  while (std::optional<TarMember> member = reader.next()) {
    all.push_back({*member, {}});
    while (const size_t count = reader.read_data(buffer))
      all.back().data += as_text({buffer, count});
  }
  EXPECT_EQ(reader.position(), tar.size());
  EXPECT_FALSE(reader.next());
  return all;
}

// The message of the ProtocolError, or an empty string when there is none.
inline std::string complaint(const std::string& tar, TarOptions options = {}) {
  try {
    read_all(tar, options);
  } catch (const ProtocolError& error) {
    return error.what();
  }
  return {};
}

// Whether reading `tar` is refused for a reason that contains `why`.
inline ::testing::AssertionResult refused(const std::string& tar, const std::string& why,
                                          TarOptions options = {}) {
  const std::string message = complaint(tar, options);
  if (message.find(why) != std::string::npos) return ::testing::AssertionSuccess() << message;
  return ::testing::AssertionFailure() << "'" << message << "' lacks '" << why << "'";
}

inline std::string one_member(const RawHeader& header) {
  return raw_header(header) + tar_trailer();
}

}  // namespace tsmfs::support
