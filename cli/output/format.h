// How problems look to a person, and how JSON is written.
//
// Text from outside goes through visible() before it comes into a line, so that it stays one line.
#pragma once

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/format_bytes.h"
#include "index/base/visible.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/manifest.h"

namespace tsmfs::cli {

// "snapshot 75222c1f of 2026-11-25T02:32:06Z, server db1"
void print_snapshot(std::ostream& out, const snapshot::Manifest& manifest);
// "INCOMPLETE: db/rp/2 what is wrong with it", a line each; of many that say the same but for
// numbers, the first, with how many more there are and some of their paths.
std::vector<std::string> problem_lines(const std::vector<snapshot::Problem>& problems);
void print_problems(std::ostream& err, const std::vector<snapshot::Problem>& problems);
// "tsmfs: warning: what": a message, which may have several lines.
void print_message(std::ostream& err, std::string_view kind, std::string_view what);
// What of a catalog could not be read, a message each; `manifests` is said of each manifest.
void print_unreadable(std::ostream& err, const snapshot::CatalogState& state,
                      std::string_view manifests = "");
// One line, or with an indent more of them. Names in it that are no UTF-8 are replaced.
void print_json(std::ostream& out, const nlohmann::json& value, int indent = -1);
// An array of objects, as --json shows them.
nlohmann::json problems_json(const snapshot::Manifest& manifest);
// What was there, what came, and what is known to be missing; null when that is not known.
nlohmann::json extent_json(const snapshot::Manifest& manifest);

}  // namespace tsmfs::cli
