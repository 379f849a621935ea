// The words for an instant that /at, restore and export understand.
#pragma once

#include <optional>
#include <string_view>

#include "index/base/timestamp.h"

namespace tsmfs {

// The last instant that `text` means: an RFC 3339 time, of which one without a fraction takes in
// its whole second; a date, which takes in its whole day (UTC); "now"; or a span of time back from
// `now`, such as "2h-ago" or "1w3d-ago" (units as in `forget --keep-within`: y, m for months, w, d,
// h). std::nullopt for anything else.
std::optional<Timestamp> parse_point_in_time(std::string_view text, Timestamp now);

}  // namespace tsmfs
