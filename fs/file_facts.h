// What the mount knows of a file or directory beside its bytes and attributes, by name: the
// extended attributes user.tsmfs.*. They are not listed, so that no copy takes them along.
//
//   snapshot, server, time      of the snapshot that it lies in: id, name, RFC 3339
//   lacks                       what that snapshot lacks of its server; empty when it is whole
//   newer                       the server's newer snapshots, a line each, with what they lack
//   digest                      of a file: equal for equal contents in one repository
//   added                       of a file: the id of the first snapshot, going back without a gap,
//   that
//                               holds it with the same content
//   keys, min_time, max_time    of a sound TSM file: how many, and the times of its points, RFC
//   3339
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fs/history_view.h"
#include "index/repository/object_reader.h"

namespace tsmfs::fs {

// Thread safe. Requires: what it is made of outlives it.
class FileFacts {
 public:
  FileFacts(HistoryView& history, index::ObjectReader& objects)
      : history_(history), objects_(objects) {}
  // The value of the attribute `name`; nothing when the node has no such one. Throws: IoError,
  // CorruptError.
  std::optional<std::string> get(const Inode& inode, std::string_view name) const;

 private:
  std::optional<std::string> of_content(const FileContent& content, std::string_view fact) const;

  HistoryView& history_;
  index::ObjectReader& objects_;
};

}  // namespace tsmfs::fs
