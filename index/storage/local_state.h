// What a repository keeps on this machine only: the lookup, what imports have seen, files that have
// no name yet. All of it can be made again, or means nothing elsewhere. Of a repository in a
// directory it lies in the same directory.
#pragma once

#include <filesystem>

namespace tsmfs::index {

class LocalState {
 public:
  explicit LocalState(std::filesystem::path root) : root_(std::move(root)) {}
  const std::filesystem::path& root() const { return root_; }
  // The lookup (index/lookup/lookup.h), which people know as the index.
  std::filesystem::path lookup() const { return root_ / "index"; }
  // A lookup under construction, renamed to lookup() when it is complete.
  std::filesystem::path new_lookup() const { return root_ / "index.new"; }
  // By snapshot: what its last rehearsal found (snapshot/rehearse/rehearsal_record.h).
  std::filesystem::path rehearsals() const { return root_ / "rehearsals"; }
  // By server: what its last import saw of the files it read (snapshot/intake/seen_files.h).
  std::filesystem::path seen() const { return root_ / "seen"; }
  // Spools and other files without a name. Emptied by the next writer.
  std::filesystem::path tmp() const { return root_ / "tmp"; }
  // Makes the directories that a writer wants.
  void make() const;

 private:
  std::filesystem::path root_;
};

}  // namespace tsmfs::index
