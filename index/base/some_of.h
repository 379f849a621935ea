// A list in a message to a person, which no number of items makes longer than a few lines.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace tsmfs {

// "and 3 more", or of some kind "and 3 shards more".
std::string and_more(size_t count, std::string_view kind = "");
// "a, b and 3 more": the first `shown_max` of `names`, and how many there are beside them.
std::string some_of(std::span<const std::string> names, size_t shown_max);

}  // namespace tsmfs
