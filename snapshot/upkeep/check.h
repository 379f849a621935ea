// Verifies a repository: every snapshot, tree node, recipe and pack; on request every byte.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "index/repository/repository.h"
#include "index/repository/verify.h"
#include "snapshot/model/catalog.h"
#include "snapshot/upkeep/data_subset.h"

namespace tsmfs::snapshot {

struct CheckReport {
  size_t snapshots = 0;
  size_t packs = 0;
  size_t files = 0;        // different contents
  uint64_t bytes = 0;      // of them
  size_t packs_read = 0;   // every frame and digest
  size_t tsm_files = 0;    // decoded
  size_t unsound_tsm = 0;  // of those, that influxd will not open: damages, too
  size_t damages = 0;      // messages given to on_damage
};

struct CheckOptions {
  index::ReadData read_data = index::ReadData::kNo;
  std::function<void(const std::string&)>
      on_damage;  // one message for each thing that is damaged, by what it means
  // With ReadData::kNo: reads these packs nevertheless, and no file as a whole.
  std::optional<DataSubset> subset = std::nullopt;
  bool tsm = false;  // decode every TSM file: its index, and the CRC of each block; what influxd
                     // will not open is damage, also when it came so from the server
};

// Throws: IoError when it cannot go on, Cancelled.
CheckReport check_repository(index::Repository& repository, Catalog& catalog,
                             const CheckOptions& options, std::stop_token stop);

}  // namespace tsmfs::snapshot
