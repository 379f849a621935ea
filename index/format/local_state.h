// What a repository keeps on this machine only: the lookup, locks, what imports have seen, files
// that have no name yet. All of it can be made again, or means nothing elsewhere.
#pragma once

#include <array>
#include <filesystem>

namespace tsmfs::index {

class LocalState {
 public:
  explicit LocalState(std::filesystem::path root) : root_(std::move(root)) {}
  const std::filesystem::path& root() const { return root_; }
  // The lookup, which people know as the index.
  std::filesystem::path index() const { return root_ / "index"; }
  // A lookup under construction, renamed to index() when it is complete.
  std::filesystem::path new_index() const { return root_ / "index.new"; }
  std::filesystem::path locks() const { return root_ / "locks"; }
  // By snapshot: what its last rehearsal found (snapshot/rehearse/rehearsal_record.h).
  std::filesystem::path rehearsals() const { return root_ / "rehearsals"; }
  // By server: what its last import saw of the files it read (snapshot/import/seen_files.h).
  std::filesystem::path seen() const { return root_ / "seen"; }
  // Spools and other files without a name. Emptied by the next writer.
  std::filesystem::path tmp() const { return root_ / "tmp"; }
  // Those that a writer wants.
  std::array<std::filesystem::path, 2> skeleton() const { return {locks(), tmp()}; }

 private:
  std::filesystem::path root_;
};

}  // namespace tsmfs::index
