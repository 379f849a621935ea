// What an import saw of the files of a directory, so that the next one reads only those that have
// changed since. A cache: without it, all are read. docs/FORMAT.md, "Seen files".
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "index/base/bytes.h"
#include "index/base/timestamp.h"
#include "index/format/digest.h"

namespace tsmfs::snapshot {

// What tells that a file is the one that was seen, and has not been written to since.
struct FileStat {
  uint64_t inode = 0;
  uint64_t size = 0;
  Timestamp mtime, ctime;
  bool operator==(const FileStat&) const = default;
};

// Not thread safe.
class SeenFiles {
 public:
  // As it was saved; nothing is seen when it is absent, or damaged, which is logged. Throws:
  // IoError.
  static SeenFiles load(const std::filesystem::path& file);
  // Throws: CorruptError, naming `object`.
  static SeenFiles decode(ByteView encoded, std::string_view object);

  std::optional<index::FileId> find(const std::string& path, const FileStat& stat) const;
  // A file that has changed so lately that it might change again under the same times must not be
  // noted: see is_settled().
  void note(const std::string& path, const FileStat& stat, const index::FileId& id);
  size_t size() const { return files_.size(); }
  ByteBuffer encode() const;
  // Replaces `file`, whose directory is made if need be. Throws: IoError.
  void save(const std::filesystem::path& temporary, const std::filesystem::path& file) const;

 private:
  struct Seen {
    FileStat stat;
    index::FileId id;
  };
  std::map<std::string, Seen> files_;
};

// Whether a change after `now` is sure to give another ctime: clocks of file systems are coarse.
bool is_settled(const FileStat& stat, Timestamp now);

}  // namespace tsmfs::snapshot
