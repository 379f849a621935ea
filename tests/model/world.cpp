#include "tests/model/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "tests/support/store_fixture.h"

namespace tsmfs::model {

namespace {

constexpr unsigned kUnsound = 2;  // the last ones of the pool

// Blocks of a range that overlaps those of the neighbours; every other content has few large ones.
std::string make_content(unsigned number) {
  if (number >= kContents - kUnsound)
    return std::string(as_text(test::random_bytes(40'000 + 150'000 * (number % kUnsound), number)));
  const bool large = number % 2 != 0;
  std::vector<test::TsmBlock> blocks;
  for (unsigned i = 0; i < (large ? 10 : 60); ++i)
    blocks.push_back(
        {number / 2 * 25 + i + (large ? 10'000u : 0u), large ? size_t{20'000} : size_t{900}});
  return std::string(as_text(test::make_tsm(blocks)));
}

}  // namespace

const std::string& content(unsigned number) {
  static const std::vector<std::string> pool = [] {
    std::vector<std::string> made;
    for (unsigned i = 0; i < kContents; ++i) made.push_back(make_content(i));
    return made;
  }();
  return pool[number];
}

bool is_sound_tsm(unsigned number) {
  return number < kContents - kUnsound;
}

bool Server::is_empty() const {
  return std::ranges::all_of(shards, [](const auto& files) { return files.empty(); });
}

bool Server::is_all_sound() const {
  for (const auto& files : shards)
    for (const auto& [name, number] : files)
      if (!is_sound_tsm(number)) return false;
  return true;
}

Contents Server::contents() const {
  Contents all;
  for (unsigned shard = 0; shard < kShards; ++shard)
    for (const auto& [name, number] : shards[shard])
      all[shard_path(shard).text() + "/" + name] = number;
  return all;
}

snapshot::ShardPath shard_path(unsigned shard) {
  return {shard == 0 ? Name("other db") : Name("db"), "rp", shard + 1};
}

std::string server_name(unsigned server) {
  return fmt::format("server-{}", server);
}

void change(Server& server, uint32_t a, uint32_t b, uint32_t c) {
  for (const uint32_t number : {a, b, c}) {
    auto& files = server.shards[number % kShards];
    const std::string name =
        fmt::format("{:09}-000000001.tsm", 1 + number / kShards % kNamesAShard);
    const uint32_t rest = number / (kShards * kNamesAShard);
    if (rest % 3 == 0)
      files.erase(name);
    else
      files[name] = rest / 3 % kContents;
  }
}

}  // namespace tsmfs::model
