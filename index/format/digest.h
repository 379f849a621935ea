// Content identities: XXH3-128 with the repository's secret (xxHash 0.8), in canonical big-endian
// form.
//
// The secret is drawn once per repository, so that somebody who can write points but not read the
// repository cannot prepare two contents of one digest. XXH3 is not a cryptographic hash:
// docs/FORMAT.md says what that means.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "index/base/bytes.h"
#include "index/base/invariant.h"

struct XXH3_state_s;

namespace tsmfs::index {

constexpr size_t kIdBytes = 16;

// A 16-byte identity; `Tag` keeps the kinds apart.
template <typename Tag>
struct Id {
  std::array<std::byte, kIdBytes> bytes{};
  auto operator<=>(const Id&) const = default;
  ByteView view() const { return bytes; }
  std::string hex() const { return to_hex(bytes); }
  static Id from(ByteView sixteen) {  // Requires: sixteen.size() == kIdBytes
    require_invariant(sixteen.size() == kIdBytes, "an id has 16 bytes");
    Id id;
    std::memcpy(id.bytes.data(), sixteen.data(), kIdBytes);
    return id;
  }
  // Throws: CorruptError.
  static Id from_hex(std::string_view hex) {
    Id id;
    tsmfs::from_hex(hex, id.bytes);
    return id;
  }
};

using ChunkId = Id<struct ChunkTag>;            // digest of a chunk's bytes
using FileId = Id<struct FileTag>;              // digest of a file's whole content
using TreeId = Id<struct TreeTag>;              // digest of an encoded tree node
using PackId = Id<struct PackTag>;              // random
using RepositoryId = Id<struct RepositoryTag>;  // random
using SnapshotId = Id<struct SnapshotTag>;      // random

// For hash tables: ids are uniform already.
struct IdHash {
  template <typename Tag>
  size_t operator()(const Id<Tag>& id) const {
    return static_cast<size_t>(load_le<uint64_t>(id.bytes.data()));
  }
};

// Fills `out` from the kernel's random source. Throws: IoError.
void fill_random(MutableByteView out);
template <typename IdType>
IdType random_id() {
  IdType id;
  fill_random(id.bytes);
  return id;
}

// The repository's hash secret. Thread safe (immutable).
class DigestKey {
 public:
  static constexpr size_t kSecretBytes = 192;
  using Secret = std::array<std::byte, kSecretBytes>;

  explicit DigestKey(const Secret& secret) : secret_(secret) {}
  static DigestKey random();
  const Secret& secret() const { return secret_; }
  template <typename IdType>
  IdType digest(ByteView bytes) const {
    IdType id;
    digest_to(bytes, id.bytes);
    return id;
  }

 private:
  void digest_to(ByteView bytes, std::array<std::byte, kIdBytes>& out) const;
  Secret secret_;
};

// A digest of bytes that come piece by piece. Requires: the key outlives it.
class DigestStream {
 public:
  explicit DigestStream(const DigestKey& key);
  void update(ByteView bytes);
  FileId file_id() const;

 private:
  struct FreeState {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, FreeState> state_;
};

// XXH3-64 with a seed and no secret: finds damage, names nothing.
uint64_t checksum(ByteView bytes, uint64_t seed);

}  // namespace tsmfs::index
