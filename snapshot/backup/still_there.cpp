#include "snapshot/backup/still_there.h"

#include <algorithm>
#include <set>
#include <utility>

#include "index/base/error.h"
#include "snapshot/influxdb/data_name.h"
#include "snapshot/stream/tar_reader.h"

namespace tsmfs::snapshot {

namespace {

// A file of up to this size is read past; at a larger one the rest is asked for anew.
constexpr uint64_t kReadPastBytesMax = uint64_t{1} << 20;
constexpr uint64_t kReadBytesMin = uint64_t{4} << 20;

class Question {
 public:
  Question(const InfluxdClient& client, const ShardPath& path, std::vector<TreeEntry> files,
           const std::vector<TreeEntry>& others)
      : client_(client), path_(path), open_(std::move(files)) {
    for (const TreeEntry& file : open_) known_.insert(file.name.text());
    for (const TreeEntry& file : others) known_.insert(file.name.text());
    for (const TreeEntry& file : open_) bytes_max_ += file.size / 2;
    bytes_max_ = std::max(bytes_max_, kReadBytesMin);
  }

  std::optional<std::string> ask() {
    while (!open_.empty()) {
      // The oldest: it mostly has the first name too, so that nothing comes before it.
      const TreeEntry wanted = *std::ranges::min_element(open_, {}, &TreeEntry::mtime);
      // The tar gives times in seconds, and rounds them.
      const auto answer = client_.open_head(path_, shifted(wanted.mtime, -kNanosecondsPerSecond));
      if (!answer) throw ProtocolError("the server answered nothing");
      if (auto different = read(*answer, wanted.name)) return different;
      if (std::ranges::find(open_, wanted.name, &TreeEntry::name) != open_.end())
        return wanted.name.text();
    }
    return std::nullopt;
  }

 private:
  // Strikes what the answer names, until `wanted` has come and reading on would cost much. Returns
  // a TSM file that nobody knows.
  std::optional<std::string> read(ByteStream& answer, const Name& wanted) {
    TarReader tar(answer, "shard " + path_.text());
    bool met = false;
    while (!open_.empty()) {
      const auto member = tar.next();
      if (!member) return open_.front().name.text();
      const std::string name = member->name.substr(member->name.rfind('/') + 1);
      // Older servers give files in no order: a new one may stand anywhere.
      const bool in_order = client_.dialect() == Dialect::k15;
      if (in_order && name.ends_with(kTsmEnding) && !known_.contains(name)) return name;
      if (bytes_ + tar.position() > bytes_max_) return name;  // to fetch all costs no more
      std::erase_if(open_, [&](const TreeEntry& file) {
        return file.name.text() == name && file.size == member->size;
      });
      met |= wanted.text() == name;
      if (met && member->size > kReadPastBytesMax) break;
    }
    bytes_ += tar.position();
    return std::nullopt;
  }

  const InfluxdClient& client_;
  const ShardPath& path_;
  std::vector<TreeEntry> open_;  // not seen yet
  std::set<std::string> known_;
  uint64_t bytes_ = 0;      // read so far, by answers that are done with
  uint64_t bytes_max_ = 0;  // to be read
};

}  // namespace

std::optional<std::string> find_difference(const InfluxdClient& client, const ShardPath& path,
                                           std::vector<TreeEntry> files,
                                           const std::vector<TreeEntry>& others) {
  return Question(client, path, std::move(files), others).ask();
}

}  // namespace tsmfs::snapshot
