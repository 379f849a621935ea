// A directory that is worked in by descriptor: whatever happens to the path that led to it, what is
// done stays in it. For directories that others may write to while we do.
//
// Names are single components, and no call follows a link under one. As root, each call acts with
// the rights of a user who is not root as soon as one has a say in what is met:
//  - a link on the way, and everything behind it, is followed with the rights of whom it belongs to
//    (or the directory that it lies in, if the link is root's);
//  - a directory that belongs to somebody is worked in with that user's rights.
// Rights once given up are not taken up again further down. Other processes than root's act with
// their own rights throughout.
//
// Whoever writes gives a directory to its owner before anything is put into it, and enters it with
// that owner's rights; a file is new (O_EXCL), and given when it is complete, by descriptor, before
// it is synced.
#pragma once

#include <sys/stat.h>

#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/file.h"
#include "index/base/rights.h"

namespace tsmfs {

// Not thread safe while it is changed; const calls may come from several threads. All throw
// IoError, naming the path; for a name that is none ("", ".", "..", with '/' or NUL in it)
// UsageError, before anything is done.
class Directory {
 public:
  struct Reached;

  // The directory of a path that a person named, or the nearest one above it that is there. Throws:
  // UsageError when something on the way is no directory.
  static Reached reach(const std::filesystem::path& path);
  // Throws: IoError when it is absent.
  static Directory open(const std::filesystem::path& path);

  Directory(Directory&&) noexcept = default;
  Directory& operator=(Directory&&) noexcept = default;

  // How it was named, for messages.
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path path(std::string_view name) const { return path_ / name; }
  const Fd& fd() const { return fd_; }
  // Whose rights are used here.
  const RightsPtr& rights() const { return rights_; }
  struct stat status() const;
  // Where it lies now, without links; empty when it has no such path any more.
  std::filesystem::path real_path() const;

  // Throws: IoError when nothing can be made here.
  void require_writable() const;

  // Lets root act with that user's rights in such directories below that belong to that user,
  // unless a link leads there, and read that user's files. Requires: the user was named by whoever
  // runs the process.
  void may_act_as(uid_t user);

  // What has a name here, itself if it is a link; nothing when it is absent.
  std::optional<struct stat> status(std::string_view name) const;
  std::vector<std::string> list() const;  // without "." and ".."
  bool empty() const { return list().empty(); }

  // A directory here, also by a link (as reach() follows it); nothing when it is absent. Throws:
  // UsageError when it is no directory.
  std::optional<Directory> find_directory(std::string_view name) const;
  // As find_directory(), but a link is no directory, and an absent one is an IoError.
  Directory enter(std::string_view name) const;
  // Makes a directory for whoever acts here alone, which must not be there. give() makes it
  // others'.
  Directory make_directory(std::string_view name) const;
  // Gives this directory, which the one that acts here has made, a mode and an owner.
  void give(unsigned mode, const FileOwner& owner);

  // A file for reading and no FIFO, device or link, which are UsageErrors.
  Fd open_file(std::string_view name) const;
  // A new file for writing, for whoever acts here alone.
  Fd create_file(std::string_view name) const;
  // A new file for reading and writing that nothing has to clean up.
  Fd create_unnamed() const;
  // Gives a file that was created here a mode and an owner.
  void give(const Fd& file, std::string_view name, unsigned mode, const FileOwner& owner) const;

  // Replaces what is there, as rename(2).
  void rename(std::string_view name, const Directory& to, std::string_view new_name) const;
  // Replaces nothing: what is there is an IoError (EEXIST).
  void rename_new(std::string_view name, const Directory& to, std::string_view new_name) const;
  // Gives a file another name beside its own. Replaces nothing, as rename_new().
  void link(std::string_view name, const Directory& to, std::string_view new_name) const;
  // Sets the time of a file's last change to now.
  void touch(std::string_view name) const;
  // Each takes the other's name, at once. False, with nothing done, on a file system that cannot.
  bool exchange(std::string_view one, std::string_view other) const;
  // Removes what has the name, whatever it is, with all that is below a directory. Links are
  // removed, not followed; other file systems are left alone (IoError, EXDEV). Fine when absent.
  void remove_tree(std::string_view name) const;
  // Fine when it is absent.
  void remove_empty_directory(std::string_view name) const;
  // The names in it are durable on return.
  void sync() const { sync_file(fd_, path_); }

 private:
  struct Step {
    std::string name;
    bool of_link = false;  // comes from a link's text
  };

  Directory(Fd fd, std::filesystem::path path, RightsPtr rights, RightsPtr named)
      : fd_(std::move(fd)),
        path_(std::move(path)),
        rights_(std::move(rights)),
        named_(std::move(named)) {}
  static Directory start_of(const std::filesystem::path& path);
  static Reached walk(Directory at, std::deque<Step> rest);
  std::optional<Directory> step_into(const Step& step) const;
  void follow(const Fd& link, const Step& step, std::deque<Step>& rest);
  void require_safe_link(const struct stat& link, const std::filesystem::path& path) const;
  void narrow_for_link(uid_t link_owner);
  void narrow_to_owner();
  Directory child(std::string_view name) const;
  void remove_tree(std::string_view name, unsigned depth) const;
  void give_fd(const Fd& fd, const std::filesystem::path& path, unsigned mode,
               const FileOwner& owner) const;
  [[noreturn]] void fail(const std::string& what) const;

  Fd fd_;
  std::filesystem::path path_;
  RightsPtr rights_;  // never null
  RightsPtr named_;   // of may_act_as(); or null
};

struct Directory::Reached {
  Directory directory;
  std::vector<std::string> missing;  // below it, upper ones first; fit to be made
};

}  // namespace tsmfs
