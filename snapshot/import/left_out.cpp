#include "snapshot/import/left_out.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>

#include "index/base/bytes.h"
#include "index/base/directory.h"
#include "index/base/quote.h"
#include "snapshot/import/backup_dir.h"
#include "snapshot/import/portable_dir.h"
#include "snapshot/stream/disk_file.h"

namespace tsmfs::snapshot {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> kDataSuffixes = {".tsm", ".wal", ".tombstone", "meta.db"};
// Go's words in a name for which influxd took a format and gave no argument.
constexpr std::array<std::string_view, 3> kGarbled = {"%!", "(MISSING)", "(int="};
constexpr uint32_t kTsmMagic = 0x16d116d1;

bool is_data_by_name(std::string_view name) {
  for (const std::string_view suffix : kDataSuffixes)
    if (name.ends_with(suffix)) return true;
  return false;
}

bool begins_as_tsm(const fs::path& file) {
  FileStream begin(file, {});
  std::array<std::byte, sizeof kTsmMagic> magic;
  return read_up_to(begin, magic) == magic.size() && load_be<uint32_t>(magic.data()) == kTsmMagic;
}

bool is_part_of_backup(const std::string& name) {
  return parse_legacy_name(name) || PortableFiles(fs::path()).take(name);
}

// The first file below that is data or a part of a backup.
std::optional<fs::path> find_below(const fs::path& directory, int depth, bool& backup) {
  for (const std::string& name : list_directory(directory)) {
    const auto status = link_status_if_exists(directory / name);
    if (!status) continue;
    if (S_ISDIR(status->st_mode)) {
      if (depth == 0) continue;
      if (auto found = find_below(directory / name, depth - 1, backup)) return found;
    } else if (S_ISREG(status->st_mode)) {
      backup = is_part_of_backup(name);
      if (backup || is_data_by_name(name)) return directory / name;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string why_data(const fs::path& file) {
  const std::string name = file.filename().string();
  if (is_data_by_name(name) || begins_as_tsm(file))
    return "is a file of a server and no part of a backup: it was left out; a server's directories "
           "are imported with --data-dir";
  for (const std::string_view word : kGarbled)
    if (name.find(word) != std::string::npos)
      return "has a name as influxd garbles them, and cannot be read as an archive: it was left "
             "out";
  return {};
}

std::string why_data_below(const fs::path& directory) {
  bool backup = false;
  const auto found = find_below(directory, kBelowDepthMax, backup);
  if (!found) return {};
  if (!backup)
    return fmt::format(
        "holds data of a server, {} for instance, and was left out: import it with "
        "--data-dir",
        quote(found->lexically_relative(directory).string()));
  return fmt::format("holds a backup further down and was left out: import {} by itself",
                     quote(found->parent_path().string()));
}

}  // namespace tsmfs::snapshot
