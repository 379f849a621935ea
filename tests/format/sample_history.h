// What the stored image holds: two snapshots of a small server, the same bytes on each run.
//
// Never change what is here: images of released versions were made of it. Another image takes
// another file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "index/base/bytes.h"
#include "index/base/timestamp.h"
#include "index/repository/repository_writer.h"
#include "snapshot/model/manifest.h"
#include "snapshot/model/shard_path.h"

namespace tsmfs::test {

struct SampleFile {
  std::string name;
  index::FileKind kind = index::FileKind::kOther;
  ByteBuffer content;
  bool sound = true;  // false for a TSM file that is none
  uint32_t mode = 0644;
  Timestamp mtime;
};

struct SampleSnapshot {
  index::SnapshotId id;
  Timestamp time;
  std::map<snapshot::ShardPath, std::vector<SampleFile>> shards;
  std::vector<SampleFile> meta;
  std::vector<std::string> databases;
  std::vector<snapshot::Problem> problems;
};

// Oldest first.
std::vector<SampleSnapshot> sample_history();

}  // namespace tsmfs::test
