#include "cli/commands/http_password.h"

#include <cstdlib>

#include "index/base/file.h"

namespace tsmfs::cli {

namespace {

constexpr size_t kPasswordFileBytesMax = 4096;

}  // namespace

std::string read_password(const std::filesystem::path& file) {
  if (!file.empty()) {
    const std::string content = read_whole_file(file, kPasswordFileBytesMax);
    return content.substr(0, content.find_first_of("\r\n"));
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the environment is never changed
  const char* password = std::getenv("INFLUX_PASSWORD");
  return password == nullptr ? "" : password;
}

}  // namespace tsmfs::cli
