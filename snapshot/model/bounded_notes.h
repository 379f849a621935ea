// What lies in an imported directory and is none of ours may be any number of files: the first are
// named.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tsmfs::snapshot {

constexpr size_t kNotesMax = 20;

// Adds a note; instead of the first that is too many, `more`, and nothing of those behind it.
inline void add_note(std::vector<std::string>& notes, std::string what, const char* more) {
  if (notes.size() < kNotesMax)
    notes.push_back(std::move(what));
  else if (notes.size() == kNotesMax)
    notes.emplace_back(more);
}

}  // namespace tsmfs::snapshot
