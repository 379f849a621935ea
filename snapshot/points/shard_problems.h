// What is wrong with the files of a shard: some of it for each file, however much there is.
#pragma once

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "snapshot/model/manifest.h"
#include "snapshot/model/shard_path.h"

namespace tsmfs::snapshot {

constexpr size_t kProblemsOfFileMax = 20;

// Not thread safe.
class ShardProblems {
 public:
  explicit ShardProblems(const ShardPath& path) : path_(path.text()) {}
  // `file` is a name, or empty for the shard as a whole.
  void add(const std::string& file, std::string what) {
    FileProblems& of_file = files_[file];
    if (of_file.told.size() < kProblemsOfFileMax)
      of_file.told.push_back(std::move(what));
    else
      ++of_file.more;
  }
  // By file, in the order in which they were found.
  std::vector<Problem> take() {
    std::vector<Problem> all;
    for (auto& [file, problems] : files_) {
      const std::string path = file.empty() ? path_ : path_ + "/" + file;
      if (problems.more > 0)
        problems.told.push_back(fmt::format("{} more of the kind", problems.more));
      for (std::string& what : problems.told)
        all.push_back({Problem::Severity::kWarning, path, std::move(what)});
    }
    files_.clear();
    return all;
  }

 private:
  struct FileProblems {
    std::vector<std::string> told;
    uint64_t more = 0;
  };
  std::string path_;
  std::map<std::string, FileProblems> files_;
};

}  // namespace tsmfs::snapshot
