#include "cli/serve/memory_need.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <sstream>

#include "index/base/error.h"
#include "index/base/file.h"
#include "index/base/format_bytes.h"
#include "index/repository/stored_source.h"
#include "index/tsm/tsm_index.h"

namespace tsmfs::cli {

namespace {

constexpr uint64_t kKernelFileBytesMax = 1 << 20;
// What a series and its tags take in influxd's maps, in relation to its keys in a TSM index. Of the
// order of what InfluxData recommends: some gigabytes for a million series.
constexpr uint64_t kMemoryToIndex = 4;
// A TSM file's index is a small part of it.
constexpr uint64_t kFileToIndex = 10;

std::optional<uint64_t> available_memory() {
  constexpr const char* kFile = "/proc/meminfo";
  if (!open_if_exists(kFile, O_RDONLY)) return std::nullopt;
  std::istringstream lines(read_kernel_file(kFile, kKernelFileBytesMax));
  std::string name, unit;
  uint64_t kib = 0;
  while (lines >> name >> kib >> unit)
    if (name == "MemAvailable:") return kib << 10;
  return std::nullopt;
}

uint64_t index_bytes(index::ObjectReader& objects, const snapshot::TreeEntry& file) {
  index::StoredSource source(objects.open_file(file.file()));
  try {
    return source.size() - index::read_tsm_index_offset(source);
  } catch (const index::TsmFormatError&) {
    return 0;  // influxd will say so
  }
}

}  // namespace

std::string memory_warning(index::ObjectReader& objects, const snapshot::Manifest& snapshot,
                           const snapshot::Filter& filter) {
  const auto available = available_memory();
  const auto fits = [&](uint64_t bytes) {
    return !available || bytes / kFileToIndex * kMemoryToIndex < *available;
  };
  if (fits(snapshot.bytes)) return {};
  const auto shards = snapshot::stored_shards(objects, snapshot, filter);
  uint64_t bytes = 0;
  for (const auto& shard : shards) bytes += shard.bytes;
  if (fits(bytes)) return {};
  uint64_t keys = 0;
  for (const auto& shard : shards)
    for (const auto& file : shard.files)
      if (file.name.ends_with(".tsm")) keys += index_bytes(objects, file);
  if (keys * kMemoryToIndex < *available) return {};
  return fmt::format(
      "the indexes of the TSM files have {}, and {} of memory are available: the "
      "index in memory may not fit. --index tsi1 needs less, --database, "
      "--retention and --shard serve a part",
      format_bytes(keys), format_bytes(*available));
}

}  // namespace tsmfs::cli
