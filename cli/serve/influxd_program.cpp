#include "cli/serve/influxd_program.h"

#include <fmt/format.h>

#include <cerrno>
#include <regex>

#include "cli/process/child.h"
#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/parse_number.h"
#include "index/base/quote.h"

namespace tsmfs::cli {

namespace {

constexpr const char* kDefaultProgram = "influxd";
constexpr unsigned kMajor = 1;

std::string ask_version(const std::filesystem::path& program) {
  try {
    return output_of({program.string(), "version"});
  } catch (const IoError& error) {
    if (error.error_number() == EACCES)
      throw UsageError(fmt::format("{} is no program that can be run", program.string()),
                       "name the program influxd with --influxd");
    if (!is_absence(error.error_number())) throw;
    throw UsageError(fmt::format("there is no {}", program.string()),
                     "install InfluxDB 1.x (its server does not have to run), or name the program "
                     "with --influxd");
  }
}

}  // namespace

InfluxdProgram find_influxd(const std::filesystem::path& named) {
  InfluxdProgram found;
  found.path = named.empty() ? std::filesystem::path(kDefaultProgram) : named;
  if (found.path.has_parent_path()) found.path = absolute_path(found.path);
  const std::string said = ask_version(found.path);
  static const std::regex kVersion("([0-9]+)\\.([0-9]+)(\\.[0-9]+)?");
  std::smatch match;
  if (!std::regex_search(said, match, kVersion)) return found;
  found.version = match.str();
  found.minor = parse_number<unsigned>(match[2].str()).value_or(0);
  if (parse_number<unsigned>(match[1].str()) != kMajor)
    throw UsageError(fmt::format("{} is InfluxDB {}, which cannot read data of 1.x",
                                 found.path.string(), quote(found.version)),
                     "name an influxd of 1.x with --influxd");
  return found;
}

}  // namespace tsmfs::cli
