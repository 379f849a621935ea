// Runs a fuzz target over files and whole directories of them, without a fuzzer: past findings stay
// mended.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <vector>

#include "tests/fuzz/fuzz_target.h"

namespace {

namespace stdfs = std::filesystem;

std::vector<stdfs::path> files_of(const stdfs::path& path) {
  if (!stdfs::is_directory(path)) return {path};
  std::vector<stdfs::path> files;
  for (const auto& entry : stdfs::directory_iterator(path)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

void replay(const stdfs::path& path) {
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);  // the last line printed is the one that crashes
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot open " + path.string());
  const std::vector<char> bytes(std::istreambuf_iterator<char>(in), {});
  // An allocation of exactly this size, so that a sanitizer sees a read behind it.
  const auto input = std::make_unique<uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), input.get());
  LLVMFuzzerTestOneInput(input.get(), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  size_t count = 0;
  for (int i = 1; i < argc; ++i)
    for (const stdfs::path& path : files_of(argv[i])) {
      replay(path);
      ++count;
    }
  std::printf("%zu inputs\n", count);
  return count > 0 ? 0 : 1;
}
