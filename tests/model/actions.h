// Carries out a step on real repositories, as the commands do.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/model/child.h"
#include "tests/model/world.h"

namespace tsmfs::model {

// Where a round works.
struct Places {
  std::filesystem::path home;
  std::filesystem::path repository(unsigned number) const {
    return home / ("repository-" + std::to_string(number));
  }
  std::filesystem::path data_dir() const { return home / "data"; }
  std::string log() const { return (home / "log").string(); }
};

// Makes the two repositories, with packs of 64 KiB to 1 MiB as `seed` says. In a child.
void create_repositories(const Places& places, uint64_t seed);

// Each runs in a child, throws what fails, and is complete otherwise. Snapshots get the tag, by
// which they are known.
void import_data_dir(const Places& places, unsigned server, const std::string& tag, int64_t hour);
void back_up(const Places& places, unsigned server, const Server& state, const std::string& tag);
// Of the snapshot with the tag.
void pin(const Places& places, const std::string& tag, bool pinned);
void forget(const Places& places, const std::vector<std::string>& tags);
void prune(const Places& places, double max_unused, bool accept_loss);
// Those that cannot be copied, though something was lost in the source, are answered as "not copied
// TAG".
void copy(const Places& places, unsigned from, unsigned to, const Answer& answer);
void repair(const Places& places);
void damage_pack(const Places& places, uint32_t which, uint32_t where);
void rebuild(const Places& places);

}  // namespace tsmfs::model
