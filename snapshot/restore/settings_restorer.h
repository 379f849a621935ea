// Brings users, grants and continuous queries to a running server over its query API, or says that
// they do not come.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "snapshot/influxdb/influxql.h"
#include "snapshot/influxdb/server_settings.h"
#include "snapshot/influxdb/shard_choice.h"
#include "snapshot/server/query_client.h"

namespace tsmfs::snapshot {

struct SettingsPlan {
  SettingsStatements made;            // none without a query API
  std::vector<std::string> left_out;  // what does not come, and what would bring it
  bool lacks = false;                 // something of that was asked for
  std::string url;                    // of the query API; empty without one
  bool in_the_clear = false;          // passwords go there unencrypted
};

struct FailedStatement {
  std::string shown;  // for a person
  std::string what;
};

struct SettingsReport {
  size_t sent = 0;  // that the server took
  std::vector<FailedStatement> failed;
};

// Not thread safe.
class SettingsRestorer {
 public:
  // Without a server nothing is sent. Throws: UsageError when its URL is none.
  SettingsRestorer(const std::optional<QueryServer>& server, const MissingSettings& missing,
                   const MetaChoice& choice, const std::stop_token& stop);
  const SettingsPlan& plan() const { return plan_; }
  // Asks the query API, so that nothing is begun that cannot be ended. Throws: ProtocolError;
  // UsageError when it is another server than the one that has `databases`; Cancelled.
  void require_server(const std::set<std::string>& databases);
  // A statement that fails does not keep the others back. `report` says at any time, also after a
  // throw, what the server took. Throws: Cancelled.
  void run(SettingsReport& report);

 private:
  SettingsPlan plan_;
  std::optional<QueryClient> client_;
};

}  // namespace tsmfs::snapshot
