// What `tsmfs restore --online` does about users, grants and continuous queries: over the query API
// when there is one, or else it says that they do not come.
#pragma once

#include <iosfwd>
#include <memory>
#include <set>
#include <string>

#include "cli/command.h"
#include "cli/commands/restore_command.h"
#include "snapshot/influxdb/influxql.h"
#include "snapshot/server/query_client.h"

namespace tsmfs::cli {

class SettingsRestore {
 public:
  // Says what will not come. Requires: the references outlive it. Throws: UsageError, IoError.
  SettingsRestore(const RestoreCommand& command, const snapshot::MetaChoice& choice,
                  const snapshot::MissingSettings& missing, Context& context);
  // Asks the query API, so that nothing is begun that cannot be ended. Throws: ProtocolError,
  // UsageError when it is another server than the one that has `databases`.
  void require_server(const std::set<std::string>& databases);
  void print_plan(std::ostream& out) const;
  // Whether something that was asked for will not come.
  bool lacks() const { return asked_ && !made_.left.empty(); }
  // kIncomplete when anything that was asked for did not come. Throws: Cancelled.
  ExitCode run();

 private:
  void connect(const RestoreCommand& command);

  Context& context_;
  snapshot::SettingsStatements made_;
  std::unique_ptr<snapshot::QueryClient> client_;  // empty without --http
  bool asked_;                                     // for all that is missing
};

}  // namespace tsmfs::cli
