// Verifies a repository: every snapshot, tree node, recipe and pack; on request every byte.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "index/repository.h"
#include "index/verify.h"
#include "snapshot/catalog.h"

namespace tsmfs::snapshot {

struct CheckReport {
  size_t snapshots = 0;
  size_t packs = 0;
  size_t files = 0;    // different contents
  uint64_t bytes = 0;  // of them
  size_t damages = 0;  // messages given to on_damage
};

struct CheckOptions {
  index::ReadData read_data = index::ReadData::kNo;
  std::function<void(const std::string&)>
      on_damage;  // one message for each thing that is damaged, by what it means
};

// Throws: IoError when it cannot go on, Cancelled.
CheckReport check_repository(index::Repository& repository, Catalog& catalog,
                             const CheckOptions& options, std::stop_token stop);

}  // namespace tsmfs::snapshot
