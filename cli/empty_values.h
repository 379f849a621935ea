// Options without a value: a shell variable that is not set makes of --host "$HOST" an empty word,
// which must not mean "any".
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace tsmfs::cli {

// "--host=" becomes "--host" and an empty word; CLI11 would take the next word for its value.
void split_empty_values(const CLI::App& app, std::vector<std::string>& arguments);

// Requires: `app` has parsed, with success or not. Throws: UsageError for the first option or
// argument with an empty value, but for those to which that means something.
void require_values(const CLI::App& app);

}  // namespace tsmfs::cli
