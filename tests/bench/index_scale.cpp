// Fills an index as a repository of so many chunks would, and measures what it costs.
//
//   tsmfs_index_scale DIRECTORY CHUNKS [exact]
//   tsmfs_index_scale DIRECTORY mount
//
// With "exact" every chunk is one that the index keeps, which shows what keeping all would cost.
// "mount" opens one that is there as a mount does.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include "index/lookup/lookup.h"
#include "tests/bench/random_pack.h"

namespace {

using namespace tsmfs;

constexpr uint64_t kChunksOfAPack = 32'000;  // 64 MiB of 2 KB each
constexpr size_t kAskedPacks = 1'000, kAskedOfEach = 8;

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

index::PackContents make_pack(uint64_t sequence, bool exact) {
  return test::random_pack(sequence, kChunksOfAPack,
                           exact ? test::Ids::kHooksOnly : test::Ids::kAny);
}

uint64_t bytes_below(const std::filesystem::path& directory) {
  uint64_t sum = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
    if (entry.is_regular_file()) sum += entry.file_size();
  return sum;
}

std::string memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return line.substr(6);
  return {};
}

// The mean time of a look-up, in microseconds, of hooks of packs spread over all (hits), or of
// none.
double look_up(const index::Lookup& lookup, uint64_t packs, bool hits, bool exact) {
  double seconds = 0;
  size_t asked = 0;
  for (uint64_t i = 0; i < std::min<uint64_t>(kAskedPacks, packs); ++i) {
    const uint64_t sequence = 1 + i * packs / std::min<uint64_t>(kAskedPacks, packs);
    std::vector<index::ChunkId> ids;
    for (const auto& blob : make_pack(sequence + (hits ? 0 : packs), exact).blobs)
      if (const auto id = index::ChunkId::from(blob.id.view());
          index::is_hook(id) && ids.size() < kAskedOfEach)
        ids.push_back(id);
    const Stopwatch stopwatch;
    const auto found = lookup.find_hooks(ids);
    seconds += stopwatch.seconds();
    asked += ids.size();
    if (std::ranges::count_if(found, [](const auto& pack) { return pack.has_value(); }) !=
        (hits ? static_cast<ptrdiff_t>(ids.size()) : 0))
      std::cerr << "wrong answers\n";
  }
  return seconds * 1e6 / static_cast<double>(asked);
}

void measure(const std::filesystem::path& directory, uint64_t chunks, bool exact) {
  const uint64_t packs = chunks / kChunksOfAPack;
  auto lookup = index::Lookup::open_primary(directory, true);
  double inserting = 0;
  for (uint64_t i = 1; i <= packs; ++i) {
    const auto pack = make_pack(i, exact);
    const Stopwatch stopwatch;
    lookup->add_pack(pack);
    inserting += stopwatch.seconds();
  }
  const double inserted = static_cast<double>(packs * kChunksOfAPack);
  fmt::print("insert: {:.1f} s, {:.2f} M chunks a second\n", inserting, inserted / inserting / 1e6);
  lookup.reset();
  const Stopwatch opening;
  lookup = index::Lookup::open_primary(directory, false);
  fmt::print("open: {:.3f} s\n", opening.seconds());
  fmt::print("on disk: {:.1f} bytes a chunk\n",
             static_cast<double>(bytes_below(directory)) / inserted);
  if (std::ofstream drop("/proc/sys/vm/drop_caches"); drop) drop << 3 << std::flush;
  for (const char* state : {"cold", "warm"})
    fmt::print("look-up, {}: hit {:.1f} us, miss {:.1f} us\n", state,
               look_up(*lookup, packs, true, exact), look_up(*lookup, packs, false, exact));
  fmt::print("memory:{}\n", memory());
}

void measure_reader(const std::filesystem::path& directory) {
  const Stopwatch opening;
  const auto lookup = index::Lookup::open_secondary(directory);
  fmt::print("open: {:.3f} s, memory:{}\n", opening.seconds(), memory());
  const auto ids = test::random_bytes(size_t{100'000} * index::kIdBytes, 1);
  const Stopwatch stopwatch;
  for (size_t at = 0; at < ids.size(); at += index::kIdBytes)
    if (lookup->find_file(index::FileId::from(ByteView(ids).subspan(at, index::kIdBytes))))
      std::cerr << "wrong answers\n";
  fmt::print("files that are not there: {:.1f} us each, memory:{}\n",
             stopwatch.seconds() * 1e6 / 100'000, memory());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: tsmfs_index_scale DIRECTORY CHUNKS|mount [exact]\n";
    return 2;
  }
  try {
    if (std::string_view(argv[2]) == "mount")
      measure_reader(argv[1]);
    else
      measure(argv[1], std::strtoull(argv[2], nullptr, 10), argc > 3);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
