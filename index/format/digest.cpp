#include "index/format/digest.h"

#include <sys/random.h>
#include <xxhash.h>

#include <cerrno>
#include <new>

#include "index/base/error.h"

namespace tsmfs::index {

namespace {

void store_canonical(XXH128_hash_t hash, std::array<std::byte, kIdBytes>& out) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  static_assert(sizeof canonical.digest == kIdBytes);
  std::memcpy(out.data(), canonical.digest, kIdBytes);
}

}  // namespace

void fill_random(MutableByteView out) {
  while (!out.empty()) {
    const ssize_t count = ::getrandom(out.data(), out.size(), 0);
    if (count < 0 && errno != EINTR) throw_errno("cannot get random bytes");
    if (count > 0) out = out.subspan(static_cast<size_t>(count));
  }
}

DigestKey DigestKey::random() {
  Secret secret;
  fill_random(secret);
  return DigestKey(secret);
}

void DigestKey::digest_to(ByteView bytes, std::array<std::byte, kIdBytes>& out) const {
  store_canonical(
      XXH3_128bits_withSecret(bytes.data(), bytes.size(), secret_.data(), secret_.size()), out);
}

DigestStream::DigestStream(const DigestKey& key) : state_(XXH3_createState()) {
  if (!state_) throw std::bad_alloc();
  XXH3_128bits_reset_withSecret(state_.get(), key.secret().data(), key.secret().size());
}

void DigestStream::FreeState::operator()(XXH3_state_s* state) const {
  XXH3_freeState(state);
}

void DigestStream::update(ByteView bytes) {
  XXH3_128bits_update(state_.get(), bytes.data(), bytes.size());
}

FileId DigestStream::file_id() const {
  FileId id;
  store_canonical(XXH3_128bits_digest(state_.get()), id.bytes);
  return id;
}

uint64_t checksum(ByteView bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace tsmfs::index
