#include "snapshot/import/backup_run.h"

#include <fmt/format.h>

#include <array>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "snapshot/intake/shard_reader.h"
#include "snapshot/model/metastore_limit.h"
#include "snapshot/stream/disk_file.h"
#include "snapshot/stream/gzip_stream.h"

namespace tsmfs::snapshot {

namespace {

// The protobuf around a portable metastore: field 1, bytes: the metastore; field 2, varint:
// MaxNodeID.
ByteBuffer unpack_portable_metastore(ByteView packed, const std::string& label) {
  constexpr uint64_t kMetastoreField = 1 << 3 | 2, kMaxNodeIdField = 2 << 3 | 0;
  try {
    ByteReader reader(packed, label);
    std::optional<ByteView> metastore;
    while (!reader.at_end()) {
      const uint64_t field = reader.varint();
      if (field == kMetastoreField && !metastore)
        metastore = reader.sized(kMetastoreBytesMax);
      else if (field == kMaxNodeIdField)
        reader.varint();
      else
        reader.fail("a field that does not belong there");
    }
    if (!metastore) reader.fail("no metastore in it");
    return {metastore->begin(), metastore->end()};
  } catch (const CorruptError& error) {
    throw ProtocolError(error.what());
  }
}

// The end of a tar that is longer or shorter than it should be is an error.
class SizedStream : public ByteStream {
 public:
  SizedStream(std::unique_ptr<ByteStream> stream, std::string label, uint64_t bytes)
      : stream_(std::move(stream)), label_(std::move(label)), left_(bytes) {}
  size_t read(MutableByteView out) override {
    const size_t count = stream_->read(out);
    if (count > left_ || (count == 0 && left_ > 0))
      throw ProtocolError(fmt::format("{}: its tar is {} than the manifest says", label_,
                                      count == 0 ? "shorter" : "longer"));
    left_ -= count;
    return count;
  }

 private:
  std::unique_ptr<ByteStream> stream_;
  std::string label_;
  uint64_t left_;
};

// The shard that the archive's first member belongs to; nothing when it has none.
std::optional<ShardPath> path_inside(const ShardArchive& archive) {
  const auto stream = open_archive(archive, {});
  TarReader tar(*stream, quote(archive.file.filename().string()));
  const auto member = tar.next();
  if (!member) return std::nullopt;
  size_t end = 0;
  for (int slash = 0; slash < 3 && end != std::string::npos; ++slash)
    end = member->name.find('/', end + (slash > 0 ? 1 : 0));
  const auto path = parse_shard_path(std::string_view(member->name).substr(0, end));
  if (!path)
    throw ProtocolError(fmt::format("{} holds {}, which is not of a shard",
                                    quote(archive.file.filename().string()), quote(member->name)));
  return path;
}

}  // namespace

MetastoreAnswer read_run_metastore(const BackupRun& run) {
  const std::string label = quote(run.metastore.filename().string());
  if (run.form == BackupRun::Form::kLegacy) {
    FileStream stream(run.metastore, {});
    std::array<std::byte, 8> magic;
    if (read_up_to(stream, magic) < magic.size() ||
        load_be<uint64_t>(magic.data()) != kMetastoreMagic)
      throw ProtocolError(label + " is not a metastore");
    return read_metastore_parts(stream, label);
  }
  const ByteBuffer packed = read_disk_file(run.metastore, kMetastoreBytesMax);
  MetastoreAnswer answer;
  answer.meta_db = unpack_portable_metastore(packed, label);
  if (run.metastore_bytes && answer.meta_db.size() != *run.metastore_bytes)
    throw ProtocolError(fmt::format("{} holds a metastore of {} bytes, its manifest says {}", label,
                                    answer.meta_db.size(), *run.metastore_bytes));
  return answer;
}

std::unique_ptr<ByteStream> open_archive(const ShardArchive& archive, std::stop_token stop) {
  auto file = std::make_unique<FileStream>(archive.file, std::move(stop));
  if (!archive.gzipped) return file;
  const std::string label = quote(archive.file.filename().string());
  auto tar = std::make_unique<GzipStream>(std::move(file), label,
                                          archive.tar_bytes.value_or(kShardBytesMaxDefault));
  if (!archive.tar_bytes) return tar;
  return std::make_unique<SizedStream>(std::move(tar), label, *archive.tar_bytes);
}

bool fits(const ShardArchive& archive, const ShardPath& path) {
  if (path.shard != archive.shard) return false;
  if (archive.path) return *archive.path == path;
  return archive.names.empty() || archive.names == "." ||
         archive.names == fmt::format("{}.{}", path.database, path.policy);
}

std::optional<ShardPath> resolve_path(const ShardArchive& archive, const Metastore* metastore) {
  if (auto inside = path_inside(archive)) return inside;
  if (archive.path) return archive.path;
  if (const auto place = metastore ? metastore->find_shard(archive.shard) : std::nullopt) {
    const auto database = Name::parse(place->database->name);
    const auto policy = Name::parse(place->policy->name);
    if (database && policy && fits(archive, {*database, *policy, archive.shard}))
      return ShardPath{*database, *policy, archive.shard};
  }
  const size_t dot = archive.names.find('.');
  if (dot != archive.names.rfind('.')) return std::nullopt;  // it cannot be told which dot it is
  return parse_shard_path(fmt::format("{}/{}/{}", archive.names.substr(0, dot),
                                      archive.names.substr(dot + 1), archive.shard));
}

std::optional<ShardArchive> look_into(const std::filesystem::path& file, Timestamp mtime) {
  ShardArchive archive;
  archive.file = file;
  archive.mtime = mtime;
  std::array<std::byte, 2> magic;
  FileStream begin(file, {});
  constexpr uint16_t kGzipMagic = 0x1f8b;
  archive.gzipped =
      read_up_to(begin, magic) == magic.size() && load_be<uint16_t>(magic.data()) == kGzipMagic;
  try {
    const auto inside = path_inside(archive);
    if (!inside) return std::nullopt;
    archive.shard = inside->shard;
  } catch (const ProtocolError&) {
    return std::nullopt;
  }
  return archive;
}

}  // namespace tsmfs::snapshot
