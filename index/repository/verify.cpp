#include "index/repository/verify.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "index/base/damage.h"
#include "index/base/error.h"
#include "index/format/recipe_needs.h"

namespace tsmfs::index {

namespace {

constexpr size_t kReadBytes = 1 << 20;

bool is_right_blob(BlobKind kind, const BlobEntry& blob, ByteView bytes, const DigestKey& key,
                   const std::string& name) {
  if (kind == BlobKind::kRecipe) return Recipe::decode(bytes, name).file().bytes == blob.id.bytes;
  return key.digest<ChunkId>(bytes).bytes ==
         blob.id.bytes;  // a tree node's digest is made in the same way
}

void verify_frames(const PackReader& pack, const DigestKey& key, const std::stop_token& stop) {
  const auto blobs = pack.read_blobs();
  for (size_t number = 0; number < pack.frames().size(); ++number) {
    if (stop.stop_requested()) throw Cancelled();
    const FrameEntry& frame = pack.frames()[number];
    const RawBuffer raw = pack.read_frame(number);
    for (uint32_t i = 0; i < frame.blob_count; ++i) {
      const BlobEntry& blob = blobs[frame.first_blob + i];
      if (!is_right_blob(frame.kind, blob,
                         raw.view().subspan(blob.logical_start - frame.logical_start, blob.length),
                         key, pack.name()))
        throw CorruptError(fmt::format("{} is damaged: blob {} of frame {} is not {}", pack.name(),
                                       i, number, blob.id.hex()));
    }
  }
}

// What a verification throws as the answer of it.
template <typename Verify>
std::optional<std::string> answer(const Verify& verify) {
  auto damage = find_damage(verify);
  if (!damage) return std::nullopt;
  return std::move(damage->what);
}

}  // namespace

std::optional<Damage> verify_pack(const PackStore& packs, const PackId& id, const DigestKey& key,
                                  ReadData read_data, const std::stop_token& stop) {
  return find_damage([&] {
    const auto pack = packs.open_anew(id);
    if (read_data == ReadData::kYes)
      verify_frames(*pack, key, stop);
    else
      pack->read_blobs();
  });
}

std::optional<std::string> verify_recipe(const Recipe& recipe, PackStore& packs) {
  return answer([&] {
    for_each_need(recipe, [&](const PackId& id, ByteRange range) {
      const auto pack = packs.open(id);
      if (range.end > pack->logical_bytes())
        throw CorruptError(
            fmt::format("its recipe wants bytes that {} does not have", pack->name()));
    });
  });
}

std::optional<std::string> verify_file(const FileReader& file, const DigestKey& key,
                                       const std::stop_token& stop) {
  return answer([&] {
    DigestStream digest(key);
    std::vector<Slice> slices;
    for (uint64_t offset = 0; offset < file.size(); offset += kReadBytes) {
      if (stop.stop_requested()) throw Cancelled();
      slices.clear();
      file.read(offset, kReadBytes, slices);
      for (const Slice& slice : slices) digest.update(slice.bytes);
    }
    if (digest.file_id() != file.id()) throw CorruptError("its digest is wrong");
  });
}

}  // namespace tsmfs::index
