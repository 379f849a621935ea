// What is said of a snapshot after it was published: its tags, and which of its missing shards a
// person accepted. A manifest never changes; an amendment is an object of its own, and the last one
// of a snapshot is in force. docs/FORMAT.md, "Amendments".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/format/digest.h"
#include "index/storage/storage.h"
#include "snapshot/model/manifest.h"

namespace tsmfs::snapshot {

struct Amendment {
  index::SnapshotId snapshot;
  std::vector<std::string> tags;   // all of them; sorted, each once
  std::vector<uint64_t> accepted;  // numbers of shards; sorted, each once
};

// What of a manifest an amendment holds.
Amendment amendment_of(const Manifest& manifest);
// What was accepted in the manifest stays so.
void apply(const Amendment& amendment, Manifest& manifest);

// The one of that key; nothing when there is none. Throws: IoError; CorruptError, also when it is
// not what its name says.
std::optional<Amendment> read_amendment(const index::Storage& storage, const std::string& key);

std::string encode_amendment(const Amendment& amendment);
// Throws: CorruptError, naming `object`.
Amendment decode_amendment(std::string_view stored, std::string_view object);

}  // namespace tsmfs::snapshot
