// The manifest of a portable backup: parse_portable_manifest. Its names stay in their directory.
#include <string>

#include "index/base/error.h"
#include "snapshot/import/portable_manifest.h"
#include "snapshot/model/tree.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  using namespace tsmfs::fuzz;
  const std::string input(as_text(input_bytes(data, size)));
  takes<Error>([&] {
    const auto manifest = snapshot::parse_portable_manifest(input, "input");
    require(is_valid_name(manifest.meta_file), "the metastore is a bare name");
    for (const auto& file : manifest.files) {
      require(is_valid_name(file.file), "a file's name stays in its directory");
      if (file.path) require(is_valid_name(file.path->database), "a database's name is one");
    }
  });
  return 0;
}
