#include "snapshot/import/portable_manifest.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "index/base/error.h"
#include "index/base/quote.h"

namespace tsmfs::snapshot {

namespace {

using Json = nlohmann::json;

constexpr int kNestingMax = 4;

struct Malformed {
  std::string what;
};

const Json& member(const Json& object, const char* name) {
  if (!object.is_object() || !object.contains(name))
    throw Malformed{fmt::format("it lacks the field {}", name)};
  return object.at(name);
}

uint64_t count_in(const Json& object, const char* name) {
  const Json& value = member(object, name);
  if (!value.is_number_unsigned())
    throw Malformed{fmt::format("the field {} is not a count", name)};
  return value.get<uint64_t>();
}

// A name from outside that will stand in a path.
Name name_in(const Json& object, const char* name) {
  const Json& value = member(object, name);
  if (!value.is_string()) throw Malformed{fmt::format("the field {} is not a text", name)};
  const auto& text = value.get_ref<const std::string&>();
  const auto found = Name::parse(text);
  if (!found)
    throw Malformed{fmt::format("the field {} holds {}, no name of a file", name, quote(text))};
  return *found;
}

// influxd backup -shard leaves the names of database and policy empty.
std::optional<ShardPath> path_in(const Json& file, uint64_t shard) {
  const Json &database = member(file, "database"), &policy = member(file, "policy");
  const auto is_blank = [](const Json& name) {
    return name.is_string() && name.get_ref<const std::string&>().empty();
  };
  if (is_blank(database) && is_blank(policy)) return std::nullopt;
  return ShardPath{name_in(file, "database"), name_in(file, "policy"), shard};
}

PortableManifest read_fields(const Json& root) {
  const Json& meta = member(root, "meta");
  PortableManifest manifest{name_in(meta, "fileName"), count_in(meta, "size"), false, {}};
  if (root.contains("limited")) {
    if (!root.at("limited").is_boolean()) throw Malformed{"the field limited is not true or false"};
    manifest.limited = root.at("limited").get<bool>();
  }
  const Json& files = member(root, "files");
  if (files.is_null()) return manifest;  // Go writes a list of none so
  if (!files.is_array()) throw Malformed{"the field files is not a list"};
  std::set<std::pair<std::optional<ShardPath>, uint64_t>> shards;
  std::set<Name> names;
  for (const Json& each : files) {
    const uint64_t shard = count_in(each, "shardID");
    PortableFile file{shard, path_in(each, shard), name_in(each, "fileName"),
                      count_in(each, "size")};
    if (!shards.emplace(file.path, shard).second)
      throw Malformed{fmt::format("shard {} comes twice", shard)};
    if (!names.insert(file.file).second)
      throw Malformed{fmt::format("the file {} comes twice", quote(file.file))};
    manifest.files.push_back(std::move(file));
  }
  return manifest;
}

}  // namespace

PortableManifest parse_portable_manifest(std::string_view text, const std::string& label) {
  try {
    if (text.size() > kPortableManifestBytesMax) throw Malformed{"it is too long"};
    const auto limit_depth = [](int depth, Json::parse_event_t, Json&) {
      if (depth > kNestingMax) throw Malformed{"it is nested too deeply"};
      return true;
    };
    return read_fields(Json::parse(text.begin(), text.end(), limit_depth));
  } catch (const Json::exception&) {
    throw ProtocolError(label + " is not usable: it is not JSON, or ends early");
  } catch (const Malformed& error) {
    throw ProtocolError(fmt::format("{} is not usable: {}", label, error.what));
  }
}

}  // namespace tsmfs::snapshot
