#include "snapshot/restore/target_meta_db.h"

#include <fmt/format.h>

#include "index/base/error.h"
#include "index/base/file.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/model/metastore_limit.h"
#include "snapshot/restore/restore_tree.h"

namespace tsmfs::snapshot {

std::optional<std::string> read_target_meta_db(const Directory& metadir) {
  if (!metadir.status(kMetaDb)) return std::nullopt;
  const Fd fd = metadir.open_file(kMetaDb);
  const std::filesystem::path path = metadir.path(kMetaDb);
  const uint64_t size = file_size(fd, path);
  if (size > kMetastoreBytesMax)
    throw CorruptError(fmt::format("{} holds {} bytes, more than the {} allowed", path.string(),
                                   size, kMetastoreBytesMax));
  std::string content(size, '\0');
  pread_exactly(fd, 0, {reinterpret_cast<std::byte*>(content.data()), content.size()}, path);
  return content;
}

std::optional<std::string> read_target_meta_db(const std::filesystem::path& metadir,
                                               const Owner& wanted) {
  const auto [directory, missing] = reach_target(metadir, wanted);
  if (!missing.empty()) return std::nullopt;
  return read_target_meta_db(directory);
}

}  // namespace tsmfs::snapshot
