// What lies among backups and is no part of one: is it data of InfluxDB all the same?
#pragma once

#include <filesystem>
#include <string>

namespace tsmfs::snapshot {

// Why a file that is no part of a backup is data, in words that follow its name: by its name (a TSM
// file, a segment of the write-ahead log, a tombstone, a metastore, an archive whose name influxd
// garbled), or by its first bytes. Empty when it is none. Throws: IoError.
std::string why_data(const std::filesystem::path& file);

// The same of a directory without a backup: by what lies below it, at most kBelowDepthMax deep.
// Links are not followed. Throws: IoError.
std::string why_data_below(const std::filesystem::path& directory);
inline constexpr int kBelowDepthMax = 5;  // above data/<database>/<policy>/<shard>/<file>

}  // namespace tsmfs::snapshot
