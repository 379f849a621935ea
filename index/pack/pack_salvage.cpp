#include "index/pack/pack_salvage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "index/base/error.h"
#include "index/codec/frame_codec.h"
#include "index/format/recipe.h"

namespace tsmfs::index {

namespace {

constexpr std::string_view kFrameMagicText = "FRAM";
constexpr size_t kSearchBytes = 1 << 20;

// A pack, without trust in anything of it.
class PackFile {
 public:
  PackFile(const StoredObject& object, const PackId& id)
      : object_(object), id_(id), name_("pack " + id.hex()), bytes_(object.size()) {}

  // Nothing unless it is sound.
  std::optional<PackTrailer> read_trailer() const {
    if (bytes_ < kPackHeaderBytes + kPackTrailerBytes) return std::nullopt;
    return sound([&] {
      return decode_pack_trailer(read(bytes_ - kPackTrailerBytes, kPackTrailerBytes).view(), bytes_,
                                 id_, name_);
    });
  }
  std::optional<std::vector<FrameEntry>> read_frame_table(const PackTrailer& trailer) const {
    return sound([&] {
      return decode_frame_table(read(trailer.tables_offset, trailer.frame_table_length).view(),
                                trailer, id_, name_);
    });
  }
  std::optional<std::vector<BlobEntry>> read_blob_table(
      const PackTrailer& trailer, const std::vector<FrameEntry>& frames) const {
    return sound([&] {
      const uint64_t offset = trailer.tables_offset + trailer.frame_table_length;
      return decode_blob_table(read(offset, trailer.blob_table_length).view(), trailer, frames, id_,
                               name_);
    });
  }
  // The raw bytes of a frame; nothing unless it is sound and the one that `entry` describes.
  std::optional<RawBuffer> read_frame(const FrameEntry& entry) const {
    return sound([&] {
      const RawBuffer bytes = read(entry.file_offset, kFrameHeaderBytes + entry.stored_length);
      const FrameHeader header = decode_frame(bytes.view(), id_, name_);
      if (header.kind != entry.kind || header.raw_length != entry.raw_length ||
          header.logical_start != entry.logical_start)
        throw CorruptError(name_ + " has another frame where its table names one");
      RawBuffer raw(entry.raw_length);
      decompress_frame(header.codec, bytes.view().subspan(kFrameHeaderBytes), raw.span(), name_);
      return raw;
    });
  }
  std::vector<FrameEntry> search_frames(const std::stop_token& stop) const;

 private:
  RawBuffer read(uint64_t offset, size_t length) const {
    RawBuffer bytes(length);
    object_.read(offset, bytes.span());
    return bytes;
  }
  // A sound frame that begins at `offset`.
  std::optional<FrameEntry> frame_at(uint64_t offset) const;
  // The first place from `offset` on that looks like a frame; the file's end when there is none.
  uint64_t next_magic(uint64_t offset) const;

  template <typename Read>
  static auto sound(const Read& read) -> std::optional<decltype(read())> {
    try {
      return read();
    } catch (const CorruptError&) {
      return std::nullopt;
    } catch (const IoError& error) {
      if (error.error_number() != EIO) throw;
      return std::nullopt;  // a bad sector is damage like any other
    }
  }

  const StoredObject& object_;
  PackId id_;
  std::string name_;
  uint64_t bytes_;
};

std::optional<FrameEntry> PackFile::frame_at(uint64_t offset) const {
  if (bytes_ - offset < kFrameHeaderBytes) return std::nullopt;
  return sound([&] {
    const RawBuffer header = read(offset, kFrameHeaderBytes);
    const auto stored_length = load_le<uint32_t>(header.view().data() + 12);
    if (stored_length > kFrameRawBytesMax || stored_length > bytes_ - offset - kFrameHeaderBytes)
      throw CorruptError(name_ + " has a frame that its end cuts");
    const FrameHeader frame =
        decode_frame(read(offset, kFrameHeaderBytes + stored_length).view(), id_, name_);
    if (frame.logical_start > kPackRawBytesMax - frame.raw_length)
      throw CorruptError(name_ + " has a frame outside a pack's bytes");
    return FrameEntry{frame.kind, frame.raw_length, stored_length, 0, frame.logical_start, offset,
                      0};
  });
}

uint64_t PackFile::next_magic(uint64_t offset) const {
  while (offset + kFrameHeaderBytes <= bytes_) {
    const size_t length = std::min<uint64_t>(kSearchBytes, bytes_ - offset);
    if (const auto window = sound([&] { return read(offset, length); })) {
      const size_t found = as_text(window->view()).find(kFrameMagicText);
      if (found != std::string_view::npos) return offset + found;
    }
    offset += length - std::min<uint64_t>(length - 1, kFrameMagicText.size() - 1);
  }
  return bytes_;
}

std::vector<FrameEntry> PackFile::search_frames(const std::stop_token& stop) const {
  std::vector<FrameEntry> frames;
  for (uint64_t offset = kPackHeaderBytes; offset < bytes_;) {
    if (stop.stop_requested()) throw Cancelled();
    const auto frame = frame_at(offset);
    const bool fits =
        frame && (frames.empty() || frames.back().logical_end() <= frame->logical_start);
    if (!fits) {
      offset = next_magic(offset + 1);
      continue;
    }
    frames.push_back(*frame);
    offset += kFrameHeaderBytes + frame->stored_length;
  }
  return frames;
}

bool is_what_its_id_says(BlobKind kind, const BlobEntry& blob, ByteView bytes,
                         const DigestKey& key) {
  if (kind != BlobKind::kRecipe) return key.digest<ChunkId>(bytes).bytes == blob.id.bytes;
  try {
    return Recipe::decode(bytes, "a recipe").file().bytes == blob.id.bytes;
  } catch (const CorruptError&) {
    return false;
  }
}

// The blobs of a frame when the pack's own list of them is lost.
std::vector<BlobEntry> blobs_without_table(const FrameEntry& frame, ByteView raw,
                                           const std::vector<KnownBlob>& known,
                                           const DigestKey& key) {
  if (frame.kind == BlobKind::kChunk)
    return {{Id<BlobTag>::from(key.digest<ChunkId>(raw).view()), frame.raw_length,
             frame.logical_start}};
  std::vector<BlobEntry> blobs;
  for (const KnownBlob& one : known)
    if (one.kind == frame.kind && one.blob.logical_start >= frame.logical_start &&
        one.blob.logical_start + one.blob.length <= frame.logical_end())
      blobs.push_back(one.blob);
  return blobs;
}

}  // namespace

Salvage salvage_pack(const StoredObject& object, const PackId& id, const DigestKey& key,
                     const std::vector<KnownBlob>& known, const VisitBlob& visit,
                     const std::stop_token& stop) {
  const PackFile file(object, id);
  const auto trailer = file.read_trailer();
  const auto table = trailer ? file.read_frame_table(*trailer) : std::nullopt;
  const auto blobs = table ? file.read_blob_table(*trailer, *table) : std::nullopt;
  Salvage salvage;
  salvage.tables_lost = !blobs;
  uint64_t logical_end = 0;
  for (const FrameEntry& frame : table ? *table : file.search_frames(stop)) {
    if (stop.stop_requested()) throw Cancelled();
    if (frame.logical_start > logical_end) {
      ++salvage.lost_frames;  // at least
      salvage.lost_bytes += frame.logical_start - logical_end;
    }
    logical_end = frame.logical_end();
    const auto raw = file.read_frame(frame);
    if (!raw) {
      ++salvage.lost_frames;
      salvage.lost_bytes += frame.raw_length;
      continue;
    }
    salvage.saved_bytes += frame.raw_length;
    const auto own =
        blobs ? std::vector<BlobEntry>(blobs->begin() + frame.first_blob,
                                       blobs->begin() + frame.first_blob + frame.blob_count)
              : blobs_without_table(frame, raw->view(), known, key);
    for (const BlobEntry& blob : own) {
      const ByteView bytes =
          raw->view().subspan(blob.logical_start - frame.logical_start, blob.length);
      if (blob.length > 0 && is_what_its_id_says(frame.kind, blob, bytes, key))
        visit(frame.kind, blob, bytes);
    }
  }
  return salvage;
}

std::optional<PackTables> read_pack_tables(const StoredObject& object, const PackId& id) {
  const PackFile file(object, id);
  const auto trailer = file.read_trailer();
  if (!trailer) return std::nullopt;
  auto frames = file.read_frame_table(*trailer);
  if (!frames) return std::nullopt;
  auto blobs = file.read_blob_table(*trailer, *frames);
  if (!blobs) return std::nullopt;
  return PackTables{std::move(*frames), std::move(*blobs)};
}

}  // namespace tsmfs::index
