#include "snapshot/influxdb/unopenable.h"

#include <fmt/format.h>

#include <cstdint>

#include "index/base/error.h"
#include "index/base/parse_number.h"

namespace tsmfs::snapshot {

namespace {

// strconv.ParseUint(text, 10, 32)
bool is_number(std::string_view text) {
  return parse_number<uint32_t>(text).has_value();
}

}  // namespace

std::optional<std::string> why_name_refused(std::string_view file, uint64_t size) {
  if (!file.ends_with(".tsm")) return std::nullopt;
  if (size == 0)
    return "is empty, as a loss of power leaves a file: influxd does not open a shard with it";
  const std::string_view id = file.substr(0, file.find('.'));
  const size_t dash = id.find('-');
  if (dash != std::string_view::npos && is_number(id.substr(0, dash)) &&
      is_number(id.substr(dash + 1)))
    return std::nullopt;
  return "is not named as TSM files are, NNNNNNNNN-NNNNNNNNN.tsm: influxd does not open a shard "
         "with it";
}

std::optional<std::string> why_refused(std::string_view file, const index::Recipe& recipe) {
  if (auto why = why_name_refused(file, recipe.size())) return why;
  if (!file.ends_with(".tsm") || recipe.tsm_defect().empty()) return std::nullopt;
  return "is not a sound TSM file, as it came from the server: " + recipe.tsm_defect();
}

std::vector<std::string> refused_files(index::ObjectReader& objects, const ShardPath& path,
                                       const std::vector<TreeEntry>& files) {
  std::vector<std::string> refused;
  for (const TreeEntry& file : files) try {
      if (!file.name.ends_with(".tsm")) continue;
      if (const auto why = why_refused(file.name, *objects.read_recipe(file.file())))
        refused.push_back(fmt::format("{}/{} {}", path.text(), file.name, *why));
    } catch (const CorruptError&) {
      // damage of the repository, which reading the file says
    }
  return refused;
}

}  // namespace tsmfs::snapshot
