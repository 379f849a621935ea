// Is what is stored what it should be? Each function answers with what is wrong, in words; nothing
// when all is well.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "index/base/damage.h"
#include "index/format/digest.h"
#include "index/format/recipe.h"
#include "index/pack/pack_store.h"
#include "index/repository/file_reader.h"

namespace tsmfs::index {

enum class ReadData { kNo, kYes };

// A pack's header, tables and trailer; with kYes also each frame's checksum and each blob's digest.
// Throws: Cancelled, and IoError but for a pack that is not there or cannot be read.
std::optional<Damage> verify_pack(const PackStore& packs, const PackId& id, const DigestKey& key,
                                  ReadData read_data, const std::stop_token& stop);

// Whether every run of a recipe lies inside a pack that is there.
std::optional<std::string> verify_recipe(const Recipe& recipe, PackStore& packs);

// Reads the whole file and compares its digest.
std::optional<std::string> verify_file(const FileReader& file, const DigestKey& key,
                                       const std::stop_token& stop);

}  // namespace tsmfs::index
