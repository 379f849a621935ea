// Files and directories by their names: looked at, listed, made and removed.
//
// One rule for all: only ENOENT, and ENOTDIR of a part of the path that is no directory, is
// absence. Whatever else fails throws IoError that names the path: what could not be looked at is
// not known to be absent. Code outside index/base touches files by name through this and file.h
// only; scripts/check-layers demands it.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tsmfs {

// True when a call that went by a name failed because there is nothing of that name.
bool is_absence(int error_number);

// True when a call failed because the object is damaged, gone or of another kind, and not because
// this process may not or cannot reach it now.
bool is_damage(int error_number);
// Of such an error: what was not read is there, and may be read another time.
bool may_come_back(int error_number);

// Follows links: one that leads nowhere is absent.
std::optional<struct stat> status_if_exists(const std::filesystem::path& path);
// Of a link itself.
std::optional<struct stat> link_status_if_exists(const std::filesystem::path& path);
// Throws also when there is nothing.
struct stat status_of(const std::filesystem::path& path);

bool path_exists(const std::filesystem::path& path);       // follows links
bool directory_exists(const std::filesystem::path& path);  // follows links
// False for nothing and for an empty directory; true for anything else.
bool holds_something(const std::filesystem::path& path);

// The names in a directory without "." and "..", sorted. Throws also when it is absent.
std::vector<std::string> list_directory(const std::filesystem::path& path);
// Of all regular files below a directory, links not followed.
uint64_t bytes_below(const std::filesystem::path& directory);
// What they take on the disk: less, where they have holes.
uint64_t disk_bytes_below(const std::filesystem::path& directory);

// Makes those above it, too; fine when it is there.
void make_directories(const std::filesystem::path& path);
void set_mode(const std::filesystem::path& path, unsigned mode);

// Each is fine when there is nothing (any more), and durable once the directory above is synced.
void remove_file(const std::filesystem::path& path);
void remove_directory(const std::filesystem::path& path);  // an empty one
void remove_tree(const std::filesystem::path& path);       // with all below it, links not followed
// As remove_tree(), for a destructor: what fails stays there.
void try_remove_tree(const std::filesystem::path& path) noexcept;

std::filesystem::path absolute_path(const std::filesystem::path& path);
// Absolute and without links; nothing when there is none.
std::optional<std::filesystem::path> resolve_if_exists(const std::filesystem::path& path);
// As far as it is there; the rest follows as it is.
std::filesystem::path resolved_path(const std::filesystem::path& path);
// TMPDIR, or /tmp.
std::filesystem::path temporary_directory();

}  // namespace tsmfs
