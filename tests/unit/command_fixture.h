// The program run in process, on a repository with snapshots of a fake server.
#pragma once

#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/process/exit_code.h"
#include "tests/support/rewrite_manifest.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::cli {

struct Said {
  ExitCode code;
  std::string out, err;
  bool says(const std::string& what) const { return (out + err).find(what) != std::string::npos; }
};

// Runs a command, and expects it to end so.
inline Said run_command(std::vector<std::string> arguments, ExitCode expected = ExitCode::kOk) {
  std::ostringstream out, err;
  std::string line = "tsmfs";
  for (const std::string& word : arguments) line += " '" + word + "'";
  const ExitCode code = run(std::move(arguments), out, err, {});
  EXPECT_EQ(static_cast<int>(code), static_cast<int>(expected)) << line << "\n"
                                                                << out.view() << err.view();
  return {code, out.str(), err.str()};
}

class CommandTest : public snapshot::BackupTest {
 protected:
  CommandTest() { snapshot::sample_state().tell(*fake); }

  // Another snapshot, of so many seconds after 1970.
  snapshot::SnapshotPtr add(int64_t seconds, const std::string& server,
                            const std::function<void(snapshot::Manifest&)>& change = {}) {
    snapshot::CaptureOptions how = options();
    how.server = server;
    snapshot::Manifest manifest = *back_up(how);
    const auto repository = index::Repository::open_writer({root, "test"});
    manifest.time = {seconds * 1'000'000'000};
    if (change) change(manifest);
    return test::rewrite_manifest(repository->storage(), manifest);
  }
  // A command on the repository.
  Said tsmfs(std::vector<std::string> arguments, ExitCode expected = ExitCode::kOk) {
    arguments.insert(arguments.end(), {"--repo", root.string()});
    return run_command(std::move(arguments), expected);
  }
  size_t count() const { return snapshots()->snapshots.size(); }
};

}  // namespace tsmfs::cli
