// A small repository, and what tests put into it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::test {

// Bytes that do not compress and are the same for the same seed.
ByteBuffer random_bytes(size_t size, uint64_t seed);

// A sound TSM file of `blocks` blocks of about `block_bytes` bytes each; equal seeds give equal
// blocks.
ByteBuffer make_tsm(size_t blocks, size_t block_bytes, uint64_t seed);
// A TSM file whose blocks have these seeds and lengths.
struct TsmBlock {
  uint64_t seed = 0;
  size_t bytes = 1000;
};
ByteBuffer make_tsm(const std::vector<TsmBlock>& blocks);

index::StoredFile put(index::RepositoryWriter& writer, ByteView content, index::FileKind kind);
// The pack files of the repository at `root`.
std::vector<std::filesystem::path> pack_files(const std::filesystem::path& root);
// Changes one byte of a file.
void flip_byte(const std::filesystem::path& path, uint64_t offset);
// The whole content of a stored file.
ByteBuffer read_all(index::Repository& repository, const index::FileId& id);

}  // namespace tsmfs::test
