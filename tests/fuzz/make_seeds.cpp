// Writes the sound samples of the fuzz corpus: make_fuzz_seeds DIRECTORY. The same bytes every
// time.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "index/blocks/block_codec.h"
#include "index/codec/frame_codec.h"
#include "index/format/config.h"
#include "index/format/pack_format.h"
#include "index/format/recipe.h"
#include "index/tsm/tsm_fields.h"
#include "snapshot/intake/seen_files.h"
#include "snapshot/model/manifest.h"
#include "snapshot/model/tree.h"
#include "tests/support/awkward_points.h"
#include "tests/support/point_tsm.h"
#include "tests/support/protobuf.h"
#include "tests/support/store_fixture.h"
#include "tests/support/tar_builder.h"

namespace {

using namespace tsmfs;
namespace stdfs = std::filesystem;

stdfs::path g_corpus;

void write_seed(const std::string& target, const std::string& name, std::string_view content) {
  stdfs::create_directories(g_corpus / target);
  std::ofstream(g_corpus / target / name, std::ios::binary) << content;
}
void write_seed(const std::string& target, const std::string& name, const ByteBuffer& content) {
  write_seed(target, name, as_text(content));
}

template <typename IdType>
IdType id(uint8_t digit) {
  IdType id;
  id.bytes.fill(static_cast<std::byte>(digit));
  return id;
}

std::string text_of(ByteView bytes) {
  return std::string(as_text(bytes));
}

void write_tars() {
  using namespace support;
  const std::vector<TarEntry> entries = {{"db/rp/1", "", 1, 0, true},
                                         {"db/rp/1/000000001-000000001.tsm", std::string(700, 't')},
                                         {"db/rp/1/000000001-000000001.tombstone", "x"}};
  write_seed("tar_fuzz", "ustar", make_tar(entries, TarForm::kUstar));
  write_seed("tar_fuzz", "gnu",
             make_tar({{"db/rp/1/" + std::string(150, 'n'), "data"}}, TarForm::kGnu));
  write_seed("tar_fuzz", "pax",
             make_tar({{"db/größe/1/a.tsm", "data", 1'454'349'756, 7}}, TarForm::kPax));
  write_seed("tar_fuzz", "pax_records",
             pax_member(pax_record("path", "db/rp/2/b") + pax_record("size", "3") +
                        pax_record("mtime", "-1.5")) +
                 raw_member({}, "abc") + tar_trailer());
  write_seed(
      "tar_fuzz", "global_pax",
      pax_member(pax_record("comment", "hello"), 'g') + raw_member({}, "abc") + tar_trailer());
  RawHeader large;
  large.size = base256(3);
  large.mtime = base256(-1);
  write_seed("tar_fuzz", "base256", raw_header(large) + padded("abc") + tar_trailer());
  write_seed("tar_fuzz", "empty", tar_trailer());
  write_seed("tar_fuzz", "padded",
             make_tar({{"a", "b"}}, TarForm::kUstar) + std::string(512, '\0'));
  write_seed("tar_fuzz", "cut", make_tar(entries, TarForm::kUstar).substr(0, 1700));
}

template <typename T>
void put_be(ByteBuffer& to, T value) {
  std::byte bytes[sizeof value];
  store_be(bytes, value);
  append(to, bytes);
}

// A file of one key: these times of a block, which `entries` entries of its index name.
ByteBuffer tsm_of_times(const ByteBuffer& times, uint16_t entries, int64_t first, int64_t last) {
  ByteBuffer block(5), file;
  ByteWriter(block).sized(times);
  put_be(file, uint32_t{0x16D116D1});
  file.push_back(std::byte{1});
  append(file, block);
  const uint64_t index = file.size();
  put_be(file, uint16_t{1});
  file.push_back(std::byte{'k'});
  file.push_back(std::byte{0});
  put_be(file, entries);
  for (uint16_t i = 0; i < entries; ++i) {
    put_be(file, static_cast<uint64_t>(first));
    put_be(file, static_cast<uint64_t>(last));
    put_be(file, uint64_t{5});
    put_be(file, static_cast<uint32_t>(block.size()));
  }
  put_be(file, index);
  return file;
}

void write_cover(const std::string& name, const ByteBuffer& newer, const ByteBuffer& older) {
  ByteBuffer seed;
  put_be(seed, static_cast<uint16_t>(newer.size()));
  append(seed, newer);
  append(seed, older);
  write_seed("tsm_cover_fuzz", name, seed);
}

void write_covers() {
  const ByteBuffer small = test::make_point_tsm({{"a", {1, 2, 3}}, {"b", {5}}}, 2);
  const ByteBuffer large = test::make_point_tsm({{"a", {0, 1, 2, 3, 4}}, {"b", {5}}}, 2);
  write_cover("all", large, small);
  write_cover("some", small, large);
  ByteBuffer run = {std::byte{0x20}};  // a run of as many equal times as a block may claim
  put_be(run, uint64_t{7});
  ByteWriter(run).varint(0);
  ByteWriter(run).varint(1 << 16);
  const ByteBuffer claims = tsm_of_times(run, 4, 0, 100);
  write_cover("claims", claims, claims);
  ByteBuffer words = {std::byte{0x10}};  // a first time, and deltas in two words
  put_be(words, uint64_t{7});
  put_be(words, uint64_t{13} << 60 | 7 | uint64_t{8} << 20 | uint64_t{9} << 40);
  put_be(words, uint64_t{1} << 60);
  write_cover("simple8b", tsm_of_times(words, 1, 0, 1000), tsm_of_times(words, 1, 0, 1000));
  write_seed("block_times_fuzz", "blocks", large);
  write_seed("block_times_fuzz", "claims", claims);
  write_seed("block_times_fuzz", "simple8b", tsm_of_times(words, 1, 7, 31));
  ByteBuffer wrong_crc = small;
  wrong_crc[5] = std::byte{0xff};
  write_seed("block_times_fuzz", "wrong_crc", wrong_crc);
}

void write_tsms() {
  write_seed("tsm_fuzz", "one_block", test::make_tsm(1, 10, 1));
  write_seed("tsm_fuzz", "blocks", test::make_tsm(4, 300, 2));
  write_seed("tsm_fuzz", "small_blocks", test::make_tsm(12, 5, 3));
  ByteBuffer wrong_crc = test::make_tsm(2, 40, 4);
  wrong_crc[12] ^= std::byte{1};
  write_seed("tsm_fuzz", "wrong_crc", wrong_crc);
  write_covers();
  write_seed("tsm_fuzz", "no_blocks", std::string("\x16\xd1\x16\xd1\x01\0\0\0\0\0\0\0\x05", 13));
}

ByteBuffer sample_recipe(std::string_view defect) {
  index::RecipeBuilder recipe(id<index::FileId>(1));
  recipe.set_tsm_defect(defect);
  recipe.add_literal(as_bytes("\x16\xd1\x16\xd1\x01"));
  recipe.add_copy(id<index::PackId>(2), 5000, 300);
  recipe.add_copy(id<index::PackId>(3), 0, 70'000);
  recipe.add_copy(id<index::PackId>(2), 5300, 12);
  recipe.add_copy(id<index::PackId>(2), 100, 12);
  return recipe.encode();
}

ByteBuffer sample_tree() {
  using namespace snapshot;
  return Tree({{"000000001-000000001.tsm",
                EntryKind::kFile,
                0644,
                {1'454'349'756'000'000'007},
                12'345,
                0,
                id<index::FileId>(1)},
               {"größe", EntryKind::kDirectory, 0755, {}, 1'000'000, 3, id<index::TreeId>(2)},
               {"empty", EntryKind::kFile, 0600, {-1}, 0, 0, id<index::FileId>(3)}})
      .encode();
}

// One frame of a pack, and the tables' view of it.
struct Frame {
  index::BlobKind kind;
  std::vector<std::string> blobs;
  std::string compression;
};

ByteBuffer make_pack(const std::vector<Frame>& frames) {
  using namespace index;
  const PackHeader header{id<PackId>(7), id<RepositoryId>(8), 1};
  ByteBuffer pack(kPackHeaderBytes);
  encode_pack_header(header, pack);
  std::vector<FrameEntry> entries;
  std::vector<BlobEntry> blobs;
  uint64_t logical = 0;
  for (const Frame& frame : frames) {
    std::string raw;
    for (const std::string& blob : frame.blobs) {
      blobs.push_back({id<Id<BlobTag>>(static_cast<uint8_t>(blobs.size() + 1)),
                       static_cast<uint32_t>(blob.size()), 0});
      raw += blob;
    }
    RawBuffer stored;
    const Codec codec =
        FrameCompressor(Compression::parse(frame.compression)).compress(as_bytes(raw), stored);
    const auto raw_length = static_cast<uint32_t>(raw.size()),
               stored_length = static_cast<uint32_t>(stored.size());
    ByteBuffer head(kFrameHeaderBytes);
    encode_frame_header({frame.kind, codec, raw_length, stored_length, logical}, stored.view(),
                        header.id, head);
    append(pack, head);
    append(pack, stored.view());
    entries.push_back({frame.kind, raw_length, stored_length,
                       static_cast<uint32_t>(frame.blobs.size()), 0, 0, 0});
    logical += raw_length;
  }
  const ByteBuffer frame_table = encode_frame_table(entries), blob_table = encode_blob_table(blobs);
  const uint64_t seed = checksum_seed(header.id);
  const PackTrailer trailer{pack.size(),
                            static_cast<uint32_t>(frame_table.size()),
                            static_cast<uint32_t>(blob_table.size()),
                            checksum(frame_table, seed),
                            checksum(blob_table, seed),
                            static_cast<uint32_t>(entries.size()),
                            static_cast<uint32_t>(blobs.size())};
  append(pack, frame_table);
  append(pack, blob_table);
  ByteBuffer end(kPackTrailerBytes);
  encode_pack_trailer(trailer, header.id, end);
  append(pack, end);
  return pack;
}

void write_store() {
  using index::BlobKind;
  const std::string recipe = text_of(sample_recipe("")),
                    defective = text_of(sample_recipe("its CRC is wrong"));
  write_seed("recipe_fuzz", "runs", recipe);
  write_seed("recipe_fuzz", "defect", defective);
  write_seed("recipe_fuzz", "empty_file", index::RecipeBuilder(id<index::FileId>(9)).encode());
  write_seed("tree_fuzz", "entries", sample_tree());
  snapshot::SeenFiles seen;
  write_seed("seen_files_fuzz", "none", seen.encode());
  seen.note("data/db/rp/1/a.tsm", {1, 2, {3}, {4}}, id<index::FileId>(5));
  seen.note("wal/db/rp/1/b.wal", {6, 0, {-7}, {8}}, id<index::FileId>(9));
  write_seed("seen_files_fuzz", "two", seen.encode());
  write_seed("tree_fuzz", "empty", snapshot::Tree(std::vector<snapshot::TreeEntry>()).encode());
  write_seed("pack_fuzz", "all_kinds",
             make_pack({{BlobKind::kChunk, {"hello ", std::string(300, 'w')}, "fast"},
                        {BlobKind::kChunk, {"more"}, "none"},
                        {BlobKind::kRecipe, {recipe, defective}, "none"},
                        {BlobKind::kTree, {text_of(sample_tree())}, "5"}}));
  write_seed("pack_fuzz", "one_tree", make_pack({{BlobKind::kTree, {"tree"}, "none"}}));
  write_seed("pack_fuzz", "empty", make_pack({}));
}

// Of a TSM file.
std::string as_index(size_t keys) {
  std::string out;
  const auto be = [&out](auto value) {
    std::byte bytes[sizeof value];
    store_be(bytes, value);
    out += as_text(bytes);
  };
  for (size_t i = 0; i < keys; ++i) {
    const std::string key = fmt::format("cpu,host=h{:04}#!~#value", i);
    be(static_cast<uint16_t>(key.size()));
    out += key;
    be(uint8_t{index::kTsmFloatType});
    be(uint16_t{2});
    for (uint64_t block = 0; block < 2; ++block) {
      be(block * 1000);
      be(block * 1000 + 999);
      be(5 + (i * 2 + block) * 700);
      be(uint32_t{700});
    }
  }
  return out;
}

void write_frame_in_columns() {
  std::mt19937_64 random(1);
  std::string raw;
  std::vector<index::BlobEntry> chunks;
  index::TsmBlockEncoder encoder;
  for (uint8_t type = index::kTsmFloatType; type <= index::kTsmUnsignedType; ++type) {
    const auto block =
        encoder.encode(test::awkward_points(random, type, 40), index::TsmDialect::kStream);
    raw += as_text(block);
    chunks.push_back({{}, static_cast<uint32_t>(block.size()), 0});
  }
  const std::string plain(16 - raw.size() % 16, 'p');
  chunks.push_back({{}, static_cast<uint32_t>(plain.size()), 0});
  raw += plain;
  RawBuffer stored;
  index::FrameCompressor(index::Compression::parse("columns"))
      .compress_chunks(as_bytes(raw), chunks, true, stored);
  write_seed("frame_fuzz", "columns",
             std::string{static_cast<char>(raw.size() / 16 % 256),
                         static_cast<char>(raw.size() / 16 / 256)} +
                 text_of(stored.view()));
}

void write_frames() {
  for (const char* compression : {"fast", "5", "19"}) {
    std::string raw;
    for (int i = 0; raw.size() < 1024; ++i)
      raw += fmt::format("cpu,host=h{:04}#!~#value", i * i % 97);
    raw.resize(1024);
    RawBuffer stored;
    index::FrameCompressor(index::Compression::parse(compression)).compress(as_bytes(raw), stored);
    write_seed("frame_fuzz", std::string("zstd_") + compression,
               std::string("\x40\0", 2) + text_of(stored.view()));
  }
  const std::string index = as_index(100);
  const std::string plain(500 + (16 - (500 + index.size()) % 16), 'c');
  const index::BlobEntry chunks[] = {{{}, static_cast<uint32_t>(plain.size()), 0},
                                     {{}, static_cast<uint32_t>(index.size()), 0}};
  const std::string raw = plain + index;
  RawBuffer stored;
  index::FrameCompressor(index::Compression::parse("5"))
      .compress_chunks(as_bytes(raw), chunks, false, stored);
  write_seed("frame_fuzz", "mixed",
             std::string{static_cast<char>(raw.size() / 16 % 256),
                         static_cast<char>(raw.size() / 16 / 256)} +
                 text_of(stored.view()));
  write_seed("frame_fuzz", "index", index);
  write_frame_in_columns();
  write_seed("frame_fuzz", "raw", std::string("\x01\0", 2) + std::string(16, 'r'));
}

std::string body_of(const std::string& sealed) {
  return sealed.substr(sealed.find('\n') + 1);
}

void write_json() {
  snapshot::Manifest manifest;
  manifest.id = id<index::SnapshotId>(1);
  manifest.number = 3;
  manifest.time = {1'454'349'756'000'000'007};
  manifest.finished = {1'454'349'759'000'000'000};
  manifest.server = "127.0.0.1:8088";
  manifest.address = "127.0.0.1:8088";
  manifest.dialect = "influxd 1.5+";
  manifest.program = "tsmfs 0.1.0";
  manifest.parent = id<index::SnapshotId>(2);
  manifest.data = id<index::TreeId>(3);
  manifest.meta = id<index::TreeId>(4);
  manifest.data_below = 17;
  manifest.databases = {"telegraf", "größe"};
  manifest.bytes = 123'456;
  manifest.problems = {
      {snapshot::Problem::Severity::kIncomplete, "telegraf/autogen/2", "did not come whole"}};
  const std::string encoded = snapshot::encode_manifest(manifest);
  write_seed("manifest_fuzz", "manifest_sealed", encoded);
  write_seed("manifest_fuzz", "manifest", body_of(encoded));
  index::DigestKey::Secret secret;
  secret.fill(std::byte{5});
  const std::string config =
      index::encode_config({id<index::RepositoryId>(6), index::DigestKey(secret), manifest.time});
  write_seed("manifest_fuzz", "config_sealed", config);
  write_seed("manifest_fuzz", "config", body_of(config));
  write_seed("path_list_fuzz", "two", "db\n{\"Paths\":[\"db/rp/10\",\"db/rp/2\"]}\n");
  write_seed("path_list_fuzz", "escaped",
             "größe \"1\"\n{\"Paths\":[\"gr\\u00f6\\u00dfe \\\"1\\\"/rp/2\"]}\n");
  write_seed("path_list_fuzz", "none", "db\n{\"Paths\":null}\n");
  write_seed("path_list_fuzz", "nested", "db\n{\"Paths\":[[[[[");
}

void write_metastores() {
  using namespace support::protobuf;
  const std::string head = number(1, 0) + number(2, 14) + number(3, 77);
  const auto group = [](uint64_t number_of_group, uint64_t deleted) {
    const std::string shards = bytes(5, number(1, number_of_group)) +
                               bytes(5, number(1, number_of_group + 1) + bytes(3, number(1, 1)));
    return bytes(5, number(1, number_of_group) + number(2, 1000) + number(3, 2000) +
                        number(4, deleted) + shards);
  };
  const std::string policy = bytes(3, bytes(1, "autogen") + number(2, 0) + number(3, 3600) +
                                          number(4, 1) + group(1, 0) + group(3, 5));
  const std::string database = bytes(5, bytes(1, "telegraf") + bytes(2, "autogen") + policy +
                                            bytes(4, bytes(1, "cq") + bytes(2, "SELECT")));
  write_seed("metastore_fuzz", "one_database",
             head + database + bytes(6, bytes(1, "admin")) + number(99, 1));
  write_seed("metastore_fuzz", "no_database", head);
  const std::string snapshot = head + database + number(8, 3) + number(9, 4);
  const auto write_edit = [](const std::string& name, uint8_t bits, const std::string& target,
                             const std::string& edited) {
    ByteBuffer seed = {static_cast<std::byte>(bits)};
    put_be(seed, static_cast<uint16_t>(target.size()));
    append(seed, as_bytes(target));
    append(seed, as_bytes(edited));
    write_seed("metastore_edit_fuzz", name, seed);
  };
  write_edit("all", 0, snapshot, snapshot);
  write_edit("database", 1, head, snapshot);
  write_edit("renamed", 1 | 8, snapshot, snapshot);
  write_edit("policy", 1 | 2 | 16, snapshot, snapshot);
  write_edit("shard", 1 | 2 | 4 | 8 | 16, snapshot, snapshot);
}

// A block of each type, in both dialects, and points that are to be encoded.
void write_blocks() {
  std::mt19937_64 random(1);
  index::TsmBlockEncoder encoder;
  for (uint8_t type = index::kTsmFloatType; type <= index::kTsmUnsignedType; ++type)
    for (const size_t count : std::vector<size_t>{1, 2, 9, 300}) {
      const index::TsmPoints points = test::awkward_points(random, type, count);
      for (const auto dialect : {index::TsmDialect::kStream, index::TsmDialect::kBatch}) {
        ByteBuffer seed = {std::byte{0}};
        append(seed, encoder.encode(points, dialect).subspan(index::kTsmCrcBytes));
        const char* const by = dialect == index::TsmDialect::kStream ? "stream" : "batch";
        write_seed("block_codec_fuzz",
                   fmt::format("{}_{}_{}", index::tsm_type_name(type), count, by), seed);
      }
      ByteBuffer words = {static_cast<std::byte>(type << 1 | 1)};
      for (const int64_t time : points.times_ns) {
        put_be(words, static_cast<uint64_t>(time));
        put_be(words, random());
      }
      if (count < 100)
        write_seed("block_codec_fuzz",
                   fmt::format("{}_{}_points", index::tsm_type_name(type), count), words);
    }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  g_corpus = argv[1];
  write_tars();
  write_tsms();
  write_store();
  write_frames();
  write_json();
  write_metastores();
  write_blocks();
}
