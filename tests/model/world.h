// What there is to be backed up: a small pool of contents that come, go and come back, and servers
// that hold some of them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "snapshot/model/shard_path.h"

namespace tsmfs::model {

// Files of which parts are shared: TSM files with blocks of others, and two that are none.
constexpr unsigned kContents = 16;
const std::string& content(unsigned number);
bool is_sound_tsm(unsigned number);

// The number of each file's content, by "database/policy/shard/file".
using Contents = std::map<std::string, unsigned>;

constexpr unsigned kServers = 2;
constexpr unsigned kShards = 3;
constexpr unsigned kNamesAShard = 2;

struct Server {
  // By shard and file name; a shard that is empty is not there.
  std::array<std::map<std::string, unsigned>, kShards> shards;

  bool is_empty() const;
  bool is_all_sound() const;
  Contents contents() const;
};

snapshot::ShardPath shard_path(unsigned shard);
std::string server_name(unsigned server);

// Changes up to three files, as three numbers say.
void change(Server& server, uint32_t a, uint32_t b, uint32_t c);

}  // namespace tsmfs::model
