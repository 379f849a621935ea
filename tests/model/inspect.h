// Reads everything that a repository lists, and holds it against what the model says must be there.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "tests/model/child.h"
#include "tests/model/world.h"

namespace tsmfs::model {

// What one repository must hold, and what it may lack.
struct Expected {
  std::map<std::string, Contents> listed;  // by tag
  std::set<std::string> pinned;            // of those
  // Of a step that a fault ended: listed or not.
  std::map<std::string, Contents> perhaps_added;
  std::set<std::string> perhaps_removed;
  std::set<std::string> perhaps_pinned;  // or unpinned
  // Lost when a pack was damaged, and not stored again since.
  std::set<unsigned> lost;       // contents
  std::set<std::string> broken;  // snapshots of which directories are lost
  void take_out(const std::string& tag) {
    listed.erase(tag);
    pinned.erase(tag);
    broken.erase(tag);
  }
  bool has_losses() const { return !lost.empty() || !broken.empty(); }
};

// In a child. Answers lines: "listed TAG"; "pinned TAG"; "wrong WHAT" for each thing that must not
// be. With `learn_losses`, what cannot be read is no wrong but "lost CONTENT" or "broken TAG".
void inspect(const std::filesystem::path& repository, const Expected& expected, bool learn_losses,
             const Answer& answer);

}  // namespace tsmfs::model
