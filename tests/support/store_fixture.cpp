#include "tests/support/store_fixture.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "index/tsm/tsm_layout.h"
#include "tests/support/repository_paths.h"

namespace tsmfs::test {

ByteBuffer random_bytes(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  ByteBuffer bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

ByteBuffer make_tsm(const std::vector<TsmBlock>& blocks) {
  ByteBuffer out, index;
  const auto be = [](ByteBuffer& to, auto value) {
    std::byte bytes[sizeof value];
    store_be(bytes, value);
    append(to, bytes);
  };
  be(out, uint32_t{0x16D116D1});
  out.push_back(std::byte{1});
  for (size_t i = 0; i < blocks.size(); ++i) {
    const ByteBuffer data = random_bytes(blocks[i].bytes, blocks[i].seed);
    const std::string key = fmt::format("cpu,host=h{:06}#!~#value", i);
    be(index, static_cast<uint16_t>(key.size()));
    append(index, as_bytes(key));
    index.push_back(std::byte{0});
    be(index, uint16_t{1});
    be(index, static_cast<uint64_t>(i));
    be(index, static_cast<uint64_t>(i + 10));
    be(index, static_cast<uint64_t>(out.size()));
    be(index, static_cast<uint32_t>(data.size() + index::kTsmCrcBytes));
    be(out, index::update_tsm_crc(0, data));
    append(out, data);
  }
  const uint64_t index_offset = out.size();
  append(out, index);
  be(out, index_offset);
  return out;
}

ByteBuffer make_tsm(size_t blocks, size_t block_bytes, uint64_t seed) {
  std::vector<TsmBlock> list;
  for (size_t i = 0; i < blocks; ++i) list.push_back({seed * 1'000'003 + i, block_bytes + i % 7});
  return make_tsm(list);
}

index::StoredFile put(index::RepositoryWriter& writer, ByteView content, index::FileKind kind) {
  index::MemorySource source(content);
  return writer.put_file(source, writer.digest_key().digest<index::FileId>(content), kind, {});
}

std::vector<std::filesystem::path> pack_files(const std::filesystem::path& root) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(RepositoryPaths(root).packs()))
    if (entry.is_regular_file()) found.push_back(entry.path());
  return found;
}

void flip_byte(const std::filesystem::path& path, uint64_t offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  const char byte = static_cast<char>(file.get() ^ 0x20);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(byte);
  ASSERT_TRUE(file.good()) << path;
}

ByteBuffer read_all(index::Repository& repository, const index::FileId& id) {
  const auto file = repository.objects().open_file(id);
  std::vector<index::Slice> slices;
  file.read(0, file.size(), slices);
  ByteBuffer out;
  for (const auto& slice : slices) append(out, slice.bytes);
  return out;
}

}  // namespace tsmfs::test
