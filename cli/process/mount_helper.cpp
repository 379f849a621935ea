#include "cli/process/mount_helper.h"

#include <algorithm>

namespace tsmfs::cli {

namespace {

// Without "rw", which mount(8) gives when nobody has said "ro".
std::string without_rw(std::string_view words) {
  std::string out;
  while (!words.empty()) {
    const size_t comma = std::min(words.find(','), words.size());
    const std::string_view word = words.substr(0, comma);
    if (word != "rw") out.append(out.empty() ? "" : ",").append(word);
    words.remove_prefix(std::min(comma + 1, words.size()));
  }
  return out;
}

}  // namespace

bool is_mount_helper(std::string_view program) {
  return program.substr(program.rfind('/') + 1) == "mount.fuse.tsmfs";
}

std::vector<std::string> mount_helper_arguments(const std::vector<std::string>& arguments) {
  std::vector<std::string> places, options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const bool has_value = argument == "-o" || argument == "-t" || argument == "-N";
    if (!argument.starts_with('-'))
      places.push_back(argument);
    else if (argument == "--help" || argument == "-h")
      return {"mount", "--help"};
    else if (has_value && ++i < arguments.size() && argument == "-o")
      options.push_back(without_rw(arguments[i]));
  }
  std::vector<std::string> out = {"mount"};
  if (!places.empty()) {
    out.insert(out.end(), {"--repo", places.front()});
    places.erase(places.begin());
  }
  for (const std::string& words : options)
    if (!words.empty()) out.insert(out.end(), {"-o", words});
  out.push_back("--");
  out.insert(out.end(), places.begin(), places.end());
  return out;
}

}  // namespace tsmfs::cli
