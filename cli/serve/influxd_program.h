// The influxd that is on this machine.
#pragma once

#include <filesystem>
#include <string>

namespace tsmfs::cli {

struct InfluxdProgram {
  std::filesystem::path path;
  std::string version;  // "1.6.7"; empty when it does not say
  unsigned minor = 0;   // 6; 0 when it does not say
};

// `named` (a path, or a name that PATH has; empty: influxd). Throws: UsageError when there is none,
// or it is no InfluxDB 1.x.
InfluxdProgram find_influxd(const std::filesystem::path& named);

}  // namespace tsmfs::cli
