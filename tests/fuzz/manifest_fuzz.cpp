// The sealed JSON files: decode_manifest, decode_amendment and decode_config. What is taken can be
// written and read again.
//
// The input is tried as it is, and as the JSON below a seal that fits it.
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "index/base/error.h"
#include "index/format/config.h"
#include "index/format/pack_format.h"
#include "snapshot/model/amendment.h"
#include "snapshot/model/manifest.h"
#include "tests/fuzz/fuzz_target.h"

namespace tsmfs::fuzz {
namespace {

std::string sealed(std::string_view kind, std::string_view body) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx",
                static_cast<unsigned long long>(index::checksum(as_bytes(body), 0)));
  return "tsmfs " + std::string(kind) + " " + digits + "\n" + std::string(body);
}

void try_manifest(const std::string& stored) {
  std::optional<snapshot::Manifest> manifest;
  if (!takes<CorruptError>([&] { manifest = snapshot::decode_manifest(stored, "input"); })) return;
  require(is_valid_name(manifest->server), "a server's name can stand in a directory");
  const std::string encoded = snapshot::encode_manifest(*manifest);
  const snapshot::Manifest again = snapshot::decode_manifest(encoded, "encoded again");
  require(again.id == manifest->id && again.time == manifest->time &&
              again.finished == manifest->finished,
          "its times come back");
  require(again.server == manifest->server && again.parent == manifest->parent,
          "its names come back");
  require(again.databases == manifest->databases && again.incomplete() == manifest->incomplete(),
          "its lists come back");
  require(snapshot::encode_manifest(again) == encoded, "there is one form of it");
}

void try_amendment(const std::string& stored) {
  std::optional<snapshot::Amendment> amendment;
  if (!takes<CorruptError>([&] { amendment = snapshot::decode_amendment(stored, "input"); }))
    return;
  const std::string encoded = snapshot::encode_amendment(*amendment);
  const snapshot::Amendment again = snapshot::decode_amendment(encoded, "encoded again");
  require(again.snapshot == amendment->snapshot && again.tags == amendment->tags &&
              again.accepted == amendment->accepted,
          "what it says comes back");
}

void try_config(const std::string& stored) {
  std::optional<index::Config> config;
  try {
    if (!takes<CorruptError>([&] { config = index::decode_config(stored, "input"); })) return;
  } catch (const UsageError& error) {
    require(error.advice() == "use a newer tsmfs", "only another version is no damage");
    return;
  }
  config->format = index::kFormatVersion;
  require(config->frame_bytes <= index::kFrameRawBytesMax &&
              config->frame_bytes <= config->pack_bytes &&
              config->pack_bytes <= index::kPackRawBytesMax,
          "its sizes are in bounds");
  const std::string encoded = index::encode_config(*config);
  const index::Config again = index::decode_config(encoded, "encoded again");
  require(again.id == config->id && again.key.secret() == config->key.secret() &&
              again.created == config->created,
          "the repository stays the same");
  require(index::encode_config(again) == encoded, "there is one form of it");
}

}  // namespace
}  // namespace tsmfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs::fuzz;
  const std::string input(tsmfs::as_text(input_bytes(data, size)));
  try_manifest(input);
  try_amendment(input);
  try_config(input);
  try_manifest(sealed("manifest", input));
  try_amendment(sealed("amendment", input));
  try_config(sealed("config", input));
  return 0;
}
