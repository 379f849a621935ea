#include "cli/empty_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "index/base/error.h"

namespace tsmfs::cli {

namespace {

// Of forget: one group of all snapshots.
constexpr std::string_view kMayBeEmpty = "--group-by";

// CLI11 takes this word for an empty list.
constexpr const char* kEmptyList = "{}";

bool takes_value(const CLI::App& app, const std::string& name) {
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  if (std::ranges::any_of(commands,
                          [&](const CLI::App* command) { return takes_value(*command, name); }))
    return true;
  const CLI::Option* option = app.get_option_no_throw(name);
  return option != nullptr && option->get_items_expected_max() > 0;
}

void require_value(const CLI::Option& option) {
  const std::string name = option.get_name();
  if (name == kMayBeEmpty) return;
  const std::vector<std::string>& values = option.results();
  if (std::ranges::find(values, "") != values.end())
    throw UsageError(name + " is empty",
                     "give it a value, or leave it out; a shell variable that is not set?");
  if (option.get_items_expected_max() > 1 && values.size() == 1 && values.front() == kEmptyList)
    throw UsageError(fmt::format("{} is {}, which stands for no value", name, kEmptyList),
                     "give it twice if something has that name");
}

}  // namespace

void split_empty_values(const CLI::App& app, std::vector<std::string>& arguments) {
  for (size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    std::string& word = arguments[i];
    if (!word.starts_with("--") || word.find('=') != word.size() - 1) continue;
    if (!takes_value(app, word.substr(0, word.size() - 1))) continue;
    word.pop_back();
    arguments.insert(arguments.begin() + static_cast<std::ptrdiff_t>(++i), std::string());
  }
}

void require_values(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) require_value(*option);
  for (const CLI::App* command : app.get_subcommands()) require_values(*command);
}

}  // namespace tsmfs::cli
