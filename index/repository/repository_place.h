// Where a repository is: what people call it, and what is opened there.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "index/storage/local_state.h"
#include "index/storage/storage.h"

namespace tsmfs::index {

struct RepositoryPlace {
  std::unique_ptr<Storage> storage;
  LocalState local;
};

// A place that can be opened any number of times. Opening one looks at nothing: that there is a
// repository is found out by who asks for one (index/repository/repository.h).
class RepositoryLocation {
 public:
  RepositoryLocation() = default;                              // none was named
  RepositoryLocation(const std::filesystem::path& directory);  // NOLINT: a directory is one
  RepositoryLocation(std::string text, std::function<RepositoryPlace()> open)
      : text_(std::move(text)), open_(std::move(open)) {}
  // What somebody wrote: today always a directory.
  static RepositoryLocation parse(const std::string& text);

  bool empty() const { return text_.empty(); }
  // For people.
  const std::string& text() const { return text_; }
  // Nothing when it is no directory.
  const std::optional<std::filesystem::path>& directory() const { return directory_; }
  // The same, from every working directory.
  RepositoryLocation resolved() const;
  // Requires: it is not empty.
  RepositoryPlace open() const { return open_(); }

 private:
  std::string text_;
  std::optional<std::filesystem::path> directory_;
  std::function<RepositoryPlace()> open_;
};

}  // namespace tsmfs::index
