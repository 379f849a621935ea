#include "faults.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <tuple>
#include <utility>

namespace tsmfs::faults {

namespace {

std::string text_of(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// With all below it.
void remove_made(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

}  // namespace

void set_kind(const std::string& name, State& state) {
  const std::map<std::string, Kind> changes = {{"kill", Kind::kKill},      {"torn", Kind::kTorn},
                                               {"power", Kind::kPower},    {"off", Kind::kOff},
                                               {"enospc", Kind::kNoSpace}, {"eio", Kind::kIoError}};
  const std::map<std::string, std::pair<Look, int>> looks = {{"eioread", {Look::kRead, EIO}},
                                                             {"eiostat", {Look::kStat, EIO}},
                                                             {"eiolist", {Look::kList, EIO}},
                                                             {"eioopen", {Look::kOpen, EIO}},
                                                             {"eaccesopen", {Look::kOpen, EACCES}}};
  if (const auto found = changes.find(name); found != changes.end()) state.kind = found->second;
  if (const auto found = looks.find(name); found != looks.end()) {
    state.kind = Kind::kLook;
    std::tie(state.look, state.look_error) = found->second;
  }
}

State& state() {
  static State* const state = [] {
    auto* made = new State;  // lives as long as the process: hooks run until its last moment
    std::istringstream roots(text_of("TSMFS_FAULT_ROOT"));
    for (std::string root; std::getline(roots, root, ':');) made->roots.push_back(root);
    made->shadow = text_of("TSMFS_FAULT_SHADOW");
    made->log = text_of("TSMFS_FAULT_LOG");
    made->at = std::atol(text_of("TSMFS_FAULT_AT").c_str());
    set_kind(text_of("TSMFS_FAULT_KIND"), *made);
    return made;
  }();
  return *state;
}

void write_log(const std::string& line) {
  if (state().log.empty()) return;
  const int fd = static_cast<int>(
      ::syscall(SYS_openat, AT_FDCWD, state().log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644));
  ::syscall(SYS_write, fd, line.data(), line.size());
  ::syscall(SYS_close, fd);
}

bool below_root(std::string_view path) {
  const auto& roots = state().roots;
  return std::any_of(roots.begin(), roots.end(), [&](const std::string& root) {
    return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
  });
}

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

void lose_power() {
  for (const auto& [path, file] : state().written)
    if (file.dirty) ::syscall(SYS_truncate, path.c_str(), file.synced_bytes);
  for (const std::string& path : std::exchange(state().made, {})) remove_made(path);
  auto& renames = state().renames;
  for (auto it = renames.rbegin(); it != renames.rend(); ++it) {
    if (it->exchanged) {
      ::syscall(SYS_renameat2, AT_FDCWD, it->to.c_str(), AT_FDCWD, it->from.c_str(),
                RENAME_EXCHANGE);
      continue;
    }
    ::syscall(SYS_rename, it->to.c_str(), it->from.c_str());
    if (!it->shadow.empty()) ::syscall(SYS_rename, it->shadow.c_str(), it->to.c_str());
  }
}

void note_made(const std::string& path) {
  if (below_root(parent_of(path))) state().made.push_back(path);
}

void note_rename(const std::string& from, const std::string& to) {
  const auto moved = [&](const std::string& path) {
    const bool moves =
        path.starts_with(from) && (path.size() == from.size() || path[from.size()] == '/');
    return moves ? to + path.substr(from.size()) : path;
  };
  State& s = state();
  std::erase(s.made, from);
  std::erase(s.made, to);
  for (std::string& path : s.made) path = moved(path);
  for (auto& [fd, path] : s.paths) path = moved(path);
  std::map<std::string, Written> written;
  for (const auto& [path, file] : s.written)
    if (path != to) written.insert_or_assign(moved(path), file);
  s.written = std::move(written);
}

[[noreturn]] void die() {
  if (state().kind == Kind::kPower) lose_power();
  ::syscall(SYS_kill, ::getpid(), SIGKILL);
  while (true) ::pause();
}

bool is_the_one(const char* what, const std::string& path) {
  State& s = state();
  if (++s.count != s.at || s.kind == Kind::kNone) return false;
  write_log("fault at " + std::to_string(s.count) + ": " + what + " " + path + "\n");
  return true;
}

}  // namespace tsmfs::faults
