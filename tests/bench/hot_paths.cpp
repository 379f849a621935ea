// What the way in and the way out spend their time on, piece by piece (Google Benchmark):
//
//   tsmfs_hot_paths [--benchmark_filter=REGEX]
#include <benchmark/benchmark.h>

#include <algorithm>
#include <map>
#include <memory>

#include "index/codec/frame_codec.h"
#include "index/cut/file_cutter.h"
#include "index/cut/gear_chunker.h"
#include "index/lookup/lookup.h"
#include "snapshot/model/manifest.h"
#include "snapshot/model/tree_store.h"
#include "snapshot/model/tree_walk.h"
#include "tests/bench/random_pack.h"
#include "tests/support/store_fixture.h"

namespace {

using namespace tsmfs;

constexpr size_t kBytes = size_t{16} << 20;
constexpr size_t kFrameBytes = size_t{256} << 10;
constexpr size_t kHooksOfAPack = 40'000;

void count_bytes(benchmark::State& state, size_t bytes) {
  state.SetBytesProcessed(static_cast<int64_t>(static_cast<uint64_t>(state.iterations()) * bytes));
}

void cut_by_content(benchmark::State& state) {
  const ByteBuffer bytes = test::random_bytes(kBytes, 1);
  for (auto _ : state) {
    for (ByteView left = bytes; !left.empty();)
      left = left.subspan(index::first_cut(left, index::kCutsOfFiles));
  }
  count_bytes(state, kBytes);
}
BENCHMARK(cut_by_content);

void cut_a_tsm_file(benchmark::State& state) {
  const ByteBuffer file = test::make_tsm(kBytes / 1500, 1500, 1);
  for (auto _ : state) {
    index::MemorySource source(file);
    index::FileCutter cutter(source, index::FileKind::kTsm);
    index::CutBatch batch;
    while (cutter.next(batch)) benchmark::DoNotOptimize(batch.bytes.data());
  }
  count_bytes(state, file.size());
}
BENCHMARK(cut_a_tsm_file);

void digest_chunks(benchmark::State& state) {
  const auto chunk = static_cast<size_t>(state.range(0));
  const ByteBuffer bytes = test::random_bytes(kBytes, 1);
  const auto key = index::DigestKey::random();
  for (auto _ : state) {
    for (size_t at = 0; at + chunk <= bytes.size(); at += chunk)
      benchmark::DoNotOptimize(key.digest<index::ChunkId>(ByteView(bytes).subspan(at, chunk)));
  }
  count_bytes(state, kBytes);
}
BENCHMARK(digest_chunks)->Arg(600)->Arg(1500)->Arg(65536);

void digest_a_file(benchmark::State& state) {
  const ByteBuffer bytes = test::random_bytes(kBytes, 1);
  const auto key = index::DigestKey::random();
  for (auto _ : state) {
    index::DigestStream digest(key);
    digest.update(bytes);
    benchmark::DoNotOptimize(digest.file_id());
  }
  count_bytes(state, kBytes);
}
BENCHMARK(digest_a_file);

// Compresses by about half, as what InfluxDB has encoded does: in each eight bytes, five that come
// from a few hundred and three of noise.
ByteBuffer frame_of_points() {
  ByteBuffer frame = test::random_bytes(kFrameBytes, 1);
  const ByteBuffer known = test::random_bytes(size_t{300} * 5, 2);
  for (size_t at = 0; at < frame.size(); at += 8) {
    const size_t pick = (std::to_integer<size_t>(frame[at]) + at / 97) % 300;
    std::copy_n(known.begin() + static_cast<ptrdiff_t>(pick * 5), 5,
                frame.begin() + static_cast<ptrdiff_t>(at));
  }
  return frame;
}

void compress_a_frame(benchmark::State& state, const ByteBuffer& raw) {
  index::FrameCompressor compressor({static_cast<int>(state.range(0)), 5});
  RawBuffer stored;
  for (auto _ : state) compressor.compress(raw, stored);
  count_bytes(state, raw.size());
}
BENCHMARK_CAPTURE(compress_a_frame, points, frame_of_points())->Arg(1)->Arg(3)->Arg(5)->Arg(7);
BENCHMARK_CAPTURE(compress_a_frame, noise, test::random_bytes(kFrameBytes, 1))->Arg(3)->Arg(5);

void decompress_a_frame(benchmark::State& state) {
  const ByteBuffer raw = frame_of_points();
  index::FrameCompressor compressor({static_cast<int>(state.range(0)), 5});
  RawBuffer stored, out(raw.size());
  const auto codec = compressor.compress(raw, stored);
  for (auto _ : state) index::decompress_frame(codec, stored.view(), out.span(), "frame");
  count_bytes(state, raw.size());
}
BENCHMARK(decompress_a_frame)->Arg(1)->Arg(3)->Arg(5)->Arg(7);

// A repository of its own, gone with it.
class Store {
 private:
  test::TempDir dir_;

 public:
  std::unique_ptr<index::Repository> repository = make(dir_ / "repository");
  index::RepositoryWriter writer{*repository, {}};

 private:
  static std::unique_ptr<index::Repository> make(const std::filesystem::path& path) {
    index::Repository::create({path});
    return index::Repository::open_writer({path, "benchmark"});
  }
};

// Cut, digested, looked up, compressed and in packs, with the sync of each pack.
void store_a_new_file(benchmark::State& state) {
  Store store;
  uint64_t seed = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const ByteBuffer file = test::make_tsm(kBytes / 1500, 1500, ++seed);
    state.ResumeTiming();
    test::put(store.writer, file, index::FileKind::kTsm);
    store.writer.flush();
  }
  count_bytes(state, kBytes);
}
BENCHMARK(store_a_new_file)->Unit(benchmark::kMillisecond)->UseRealTime();

void read_frames(benchmark::State& state) {
  Store store;
  const ByteBuffer file = test::make_tsm(kBytes / 1500, 1500, 1);
  test::put(store.writer, file, index::FileKind::kTsm);
  store.writer.flush();
  std::vector<index::PackId> packs;
  store.repository->packs().for_each_id([&](const index::PackId& id) { packs.push_back(id); });
  const auto pack = store.repository->packs().open(packs.at(0));
  for (auto _ : state)
    for (size_t number = 0; number < pack->frames().size(); ++number)
      benchmark::DoNotOptimize(pack->read_frame(number).data());
  count_bytes(state, pack->logical_bytes());
}
BENCHMARK(read_frames)->Unit(benchmark::kMillisecond);

// A directory of so many shards, each a node of its own.
void walk_a_tree(benchmark::State& state) {
  Store store;
  const ByteBuffer content = test::random_bytes(100, 1);
  const auto stored = test::put(store.writer, content, index::FileKind::kOther);
  std::map<snapshot::ShardPath, std::vector<snapshot::TreeEntry>> shards;
  for (uint64_t i = 1; i <= static_cast<uint64_t>(state.range(0)); ++i)
    shards[{"db", "rp", i}] = {
        {*Name::parse(std::to_string(i)), snapshot::EntryKind::kFile, 0644, {}, 100, 0, stored.id}};
  snapshot::Manifest manifest;
  manifest.data = snapshot::store_data_tree(store.writer, shards).id;
  store.writer.flush();
  for (auto _ : state)
    for (const auto& [path, entry] :
         snapshot::shard_entries(store.repository->objects(), manifest.data))
      benchmark::DoNotOptimize(store.repository->objects().read_tree(entry.directory()));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(walk_a_tree)->Arg(100)->Arg(10'000)->Unit(benchmark::kMillisecond);

// In an index of so many hooks, each eight times as many chunks (100 M: tsmfs_index_scale).
void look_up_hooks(benchmark::State& state, bool hits) {
  const test::TempDir dir;
  const auto lookup = index::Lookup::open_primary(dir / "index", true);
  const auto packs = static_cast<uint64_t>(state.range(0)) / kHooksOfAPack;
  for (uint64_t i = 1; i <= packs; ++i)
    lookup->add_pack(test::random_pack(i, kHooksOfAPack, test::Ids::kHooksOnly));
  const auto asked =
      test::random_pack(hits ? packs / 2 : packs + 1, kHooksOfAPack, test::Ids::kHooksOnly);
  std::vector<index::ChunkId> ids;
  for (size_t i = 0; i < 64; ++i)
    ids.push_back(index::ChunkId::from(asked.blobs[i * 600].id.view()));
  for (auto _ : state) benchmark::DoNotOptimize(lookup->find_hooks(ids));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(ids.size()));
}
BENCHMARK_CAPTURE(look_up_hooks, hits, true)->Arg(160'000)->Arg(1'280'000);
BENCHMARK_CAPTURE(look_up_hooks, misses, false)->Arg(160'000)->Arg(1'280'000);

}  // namespace

BENCHMARK_MAIN();
