#include "snapshot/intake/shard_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "index/base/error.h"
#include "index/base/quote.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kSpoolMemoryBytes = size_t{32} << 20;
constexpr size_t kReceiveBytes = size_t{1} << 20;
constexpr uint32_t kStoredFileMode = 0644;

void add_file(const Name& file, const index::StoredFile& stored, Timestamp mtime,
              ReadShard& shard) {
  shard.files.push_back(
      {file, EntryKind::kFile, kStoredFileMode, mtime, stored.size, 0, stored.id});
  shard.bytes += stored.size;
  shard.new_bytes += stored.new_bytes;
  if (stored.tsm_defect.empty()) return;
  shard.defects.push_back({file.text(), stored.id, stored.tsm_defect});
  shard.new_defects |= !stored.already_known;
}

}  // namespace

bool is_rebuilt_at_start(std::string_view file) {
  return file == "index" || file.starts_with("index/") || file.starts_with("fields.idx") ||
         file.ends_with(".tmp");
}

ShardReader::ShardReader(index::RepositoryWriter& writer,
                         const std::filesystem::path& spool_directory, std::stop_token stop,
                         std::atomic<uint64_t>* received_bytes)
    : writer_(writer),
      spool_(spool_directory, kSpoolMemoryBytes),
      stop_(std::move(stop)),
      received_bytes_(received_bytes) {}

void ShardReader::read(const ShardPath& path, ByteStream& stream, ReadShard& shard) {
  TarReader tar(stream, "the stream of shard " + quote(path.text()));
  const std::string prefix = path.text() + "/";
  std::set<Name> names;
  while (const auto member = tar.next()) {
    if (member->kind == TarMember::Kind::kDirectory) continue;
    if (!member->name.starts_with(prefix))
      throw ProtocolError(
          fmt::format("the stream holds {}, which is not of this shard", quote(member->name)));
    const std::string inside = member->name.substr(prefix.size());
    if (is_rebuilt_at_start(inside)) continue;
    const auto file = Name::parse(inside);
    if (!file)
      throw ProtocolError(
          fmt::format("the stream holds {}, a name that no shard has", quote(member->name)));
    if (!names.insert(*file).second)
      throw ProtocolError(fmt::format("the stream holds {} twice", quote(member->name)));
    if (member->size > shard_bytes_max_ - std::min(shard.bytes, shard_bytes_max_))
      throw ProtocolError(fmt::format("the stream holds more than {} bytes", shard_bytes_max_),
                          "raise the limit with --max-shard-size if the shard is that large");
    spool_.clear();
    index::DigestStream digest(writer_.digest_key());
    for (uint64_t left = member->size; left > 0;) {
      const MutableByteView room = spool_.reserve(std::min<uint64_t>(left, kReceiveBytes));
      const size_t count = tar.read_data(room);
      digest.update(room.first(count));
      spool_.commit(count);
      if (received_bytes_) *received_bytes_ += count;
      left -= count;
    }
    store(*file, spool_, digest.file_id(), member->mtime, shard);
  }
}

void ShardReader::store(const Name& file, index::ByteSource& source, const index::FileId& id,
                        Timestamp mtime, ReadShard& shard) {
  add_file(file, writer_.put_file(source, id, index::kind_of_file(file), stop_), mtime, shard);
}

bool ShardReader::take_stored(const Name& file, const index::FileId& id, uint64_t size,
                              Timestamp mtime, ReadShard& shard) {
  const auto stored = writer_.find_file(id, size, index::kind_of_file(file));
  if (stored) add_file(file, *stored, mtime, shard);
  return stored.has_value();
}

}  // namespace tsmfs::snapshot
