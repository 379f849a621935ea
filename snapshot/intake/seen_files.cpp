#include "snapshot/intake/seen_files.h"

#include <fcntl.h>

#include "index/base/error.h"
#include "index/base/file.h"
#include "index/base/log.h"

namespace tsmfs::snapshot {

namespace {

constexpr uint8_t kVersion = 1;
constexpr uint64_t kFileBytesMax = uint64_t{1} << 30;
constexpr uint64_t kPathBytesMax = 4096;
constexpr size_t kSeenFileBytesMin = 2 + 4 + index::kIdBytes;
constexpr int64_t kSettledNs = 2'000'000'000;

}  // namespace

SeenFiles SeenFiles::load(const std::filesystem::path& file) {
  if (!open_if_exists(file, O_RDONLY)) return {};
  try {
    return decode(as_bytes(read_whole_file(file, kFileBytesMax)), file.string());
  } catch (const CorruptError& error) {
    log::warning("{}; all files are read", error.what());
    return {};
  }
}

SeenFiles SeenFiles::decode(ByteView encoded, std::string_view object) {
  ByteReader reader(encoded, object);
  if (reader.u8() != kVersion) reader.fail("an unknown version of a list of seen files");
  const auto expected = reader.le<uint64_t>();
  const ByteView body = encoded.last(reader.remaining());
  if (index::checksum(body, 0) != expected) reader.fail("a checksum that does not fit");
  SeenFiles seen;
  for (uint64_t left = reader.count(kSeenFileBytesMin); left > 0; --left) {
    std::string path(as_text(reader.sized(kPathBytesMax)));
    if (!seen.files_.empty() && path <= seen.files_.rbegin()->first) reader.fail("out of order");
    Seen file;
    file.stat.inode = reader.varint();
    file.stat.size = reader.varint();
    file.stat.mtime.unix_ns = reader.svarint();
    file.stat.ctime.unix_ns = reader.svarint();
    file.id = index::FileId::from(reader.raw(index::kIdBytes));
    seen.files_.emplace_hint(seen.files_.end(), std::move(path), file);
  }
  reader.expect_end();
  return seen;
}

ByteBuffer SeenFiles::encode() const {
  ByteBuffer body;
  ByteWriter writer(body);
  writer.varint(files_.size());
  for (const auto& [path, file] : files_) {
    writer.sized(as_bytes(path));
    writer.varint(file.stat.inode);
    writer.varint(file.stat.size);
    writer.svarint(file.stat.mtime.unix_ns);
    writer.svarint(file.stat.ctime.unix_ns);
    writer.raw(file.id.view());
  }
  ByteBuffer encoded;
  ByteWriter head(encoded);
  head.u8(kVersion);
  head.le(index::checksum(body, 0));
  head.raw(body);
  return encoded;
}

std::optional<index::FileId> SeenFiles::find(const std::string& path, const FileStat& stat) const {
  const auto found = files_.find(path);
  if (found == files_.end() || found->second.stat != stat) return std::nullopt;
  return found->second.id;
}

void SeenFiles::note(const std::string& path, const FileStat& stat, const index::FileId& id) {
  if (path.size() <= kPathBytesMax) files_.insert_or_assign(path, Seen{stat, id});
}

void SeenFiles::save(const std::filesystem::path& temporary,
                     const std::filesystem::path& file) const {
  make_directory(file.parent_path());
  AtomicFile atomic(temporary, file);
  atomic.write(encode());
  atomic.publish();
}

bool is_settled(const FileStat& stat, Timestamp now) {
  return stat.ctime.unix_ns < now.unix_ns - kSettledNs;
}

}  // namespace tsmfs::snapshot
