#include "cli/serve/influxd_config.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <sstream>
#include <string_view>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file.h"

namespace tsmfs::cli {

namespace {

constexpr const char* kInmem = "inmem";
constexpr uint64_t kConfigBytesMax = 1 << 20;
// Longer than anybody looks at the past: a compaction of all of it would be copied beside it.
constexpr const char* kNever = "87600h";

toml::table parse_operator_config(const std::filesystem::path& file) {
  if (directory_exists(file))
    throw UsageError(file.string() + " is a directory", "name an influxdb.conf with --config");
  try {
    return toml::parse(read_whole_file(file, kConfigBytesMax));
  } catch (const toml::parse_error& error) {
    throw UsageError(fmt::format("{} cannot be read as an influxdb.conf: {} (line {})",
                                 file.string(), error.description(), error.source().begin.line),
                     "name another file with --config, or none");
  }
}

void copy_table(const toml::table& from, const char* name, toml::table& to) {
  if (const toml::table* table = from[name].as_table()) to.insert_or_assign(name, *table);
}

// Where it listens, and to whom it lets in, it is not to say.
bool is_limit(std::string_view key) {
  return key.starts_with("max-") || key == "flux-enabled" || key == "enqueued-write-timeout" ||
         key == "shared-secret";
}

toml::table limits_of(const std::filesystem::path& file) {
  toml::table limits;
  const toml::table whole = parse_operator_config(file);
  copy_table(whole, "data", limits);
  copy_table(whole, "coordinator", limits);
  toml::table http;
  if (const toml::table* table = whole["http"].as_table())
    for (const auto& [key, value] : *table)
      if (is_limit(key.str())) http.insert_or_assign(key, value);
  limits.insert_or_assign("http", std::move(http));
  return limits;
}

toml::table& table_of(toml::table& config, const char* name) {
  if (config[name].as_table() == nullptr) config.insert_or_assign(name, toml::table());
  return *config[name].as_table();
}

}  // namespace

std::string index_of(const InfluxdSettings& settings) {
  if (!settings.index.empty()) return settings.index;
  if (settings.operator_config.empty()) return kInmem;
  const toml::table config = parse_operator_config(settings.operator_config);
  return config["data"]["index-version"].value_or(std::string(kInmem));
}

std::string influxd_config(const ServedPlace& place, const InfluxdSettings& settings) {
  toml::table config;
  if (!settings.operator_config.empty()) config = limits_of(settings.operator_config);
  config.insert_or_assign("reporting-disabled", true);
  config.insert_or_assign("bind-address", settings.snapshots.text());
  table_of(config, "meta").insert_or_assign("dir", place.meta().string());
  toml::table& data = table_of(config, "data");
  data.insert_or_assign("dir", place.data().string());
  data.insert_or_assign("wal-dir", place.wal().string());
  data.insert_or_assign("index-version", index_of(settings));
  data.insert_or_assign("compact-full-write-cold-duration", kNever);
  toml::table& http = table_of(config, "http");
  http.insert_or_assign("enabled", true);
  http.insert_or_assign("bind-address", settings.http.text());
  http.insert_or_assign("auth-enabled", settings.auth);
  http.insert_or_assign("log-enabled", false);
  http.insert_or_assign("https-enabled", false);
  http.insert_or_assign("unix-socket-enabled", false);
  table_of(config, "monitor").insert_or_assign("store-enabled", false);
  for (const char* off : {"retention", "shard-precreation", "subscriber", "continuous_queries"})
    table_of(config, off).insert_or_assign("enabled", false);
  // 1.0 to 1.2 have it.
  table_of(config, "admin").insert_or_assign("enabled", false);
  for (const char* input : {"graphite", "collectd", "opentsdb", "udp"})
    config.insert_or_assign(input, toml::array(toml::table{{"enabled", false}}));
  std::ostringstream text;
  text << toml::toml_formatter(config, toml::toml_formatter::default_flags &
                                           ~(toml::format_flags::allow_literal_strings |
                                             toml::format_flags::allow_multi_line_strings))
       << '\n';
  return text.str();
}

}  // namespace tsmfs::cli
