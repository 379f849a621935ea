// Another program, run by this one.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tsmfs::cli {

struct Program {
  std::vector<std::string> words;  // what is run, by path or as PATH has it, and its arguments
  // "NAME=VALUE" each; nothing leaves what this process has.
  std::optional<std::vector<std::string>> environment = {};
  int output = -1;  // where its standard output and error go; -1: where this process's go
};

// How a program ended, as waitpid(2) says it.
class Ending {
 public:
  explicit Ending(int status) : status_(status) {}
  // As a shell gives it: 128 and the number for a signal.
  int shell_status() const;
  std::string text() const;  // "ended with status 1", "was killed by signal 9"
 private:
  int status_;
};

// Ends with its parent: with the thread that started it, whatever that dies of. Not thread safe.
class Child {
 public:
  // Signals that this process has blocked or ignores for itself are not so there. Throws: IoError,
  // ENOENT when there is no such program.
  explicit Child(const Program& program);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  // Ends it, if it has not ended, with kPatience.
  ~Child();

  static constexpr std::chrono::seconds kPatience{60};

  std::optional<Ending> ended();  // nothing while it runs
  Ending wait();
  void signal(int number);
  // SIGTERM, and SIGKILL when it has not ended after `patience`.
  Ending end(std::chrono::milliseconds patience = kPatience);

 private:
  pid_t process_ = -1;
  std::optional<Ending> ending_;
};

// This process's environment, "NAME=VALUE" each, without the variables that begin so.
std::vector<std::string> environment_without(const std::vector<std::string>& beginnings);

// What a program prints, on both its outputs, when it has ended with status 0. Throws: IoError;
// Error with what it said when it ended otherwise.
std::string output_of(const std::vector<std::string>& words);

}  // namespace tsmfs::cli
