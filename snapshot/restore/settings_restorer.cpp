#include "snapshot/restore/settings_restorer.h"

#include <fmt/format.h>

#include "index/base/error.h"

namespace tsmfs::snapshot {

namespace {

MissingReasons reasons_of(bool query_api, const MetaChoice& choice) {
  const char* http = "the snapshot service brings none; --http URL does";
  MissingReasons reasons{http, http, "they would send the copy's points too; --with-subscriptions"};
  if (query_api) {
    reasons.queries = "tsmfs sends single statements of their name only";
    reasons.users = "a user that is there is made no administrator";
  }
  if (choice.new_database || choice.new_policy)
    reasons.queries = "they name the original, and would write to it";
  return reasons;
}

}  // namespace

SettingsRestorer::SettingsRestorer(const std::optional<QueryServer>& server,
                                   const MissingSettings& missing, const MetaChoice& choice,
                                   const std::stop_token& stop) {
  if (server) {
    client_.emplace(*server, stop);
    plan_.url = client_->url();
    plan_.in_the_clear = client_->is_open();
    plan_.made = statements_for(missing, choice);
  } else {
    plan_.made.left = missing;
  }
  plan_.left_out = describe(plan_.made.left, reasons_of(server.has_value(), choice));
  plan_.lacks = asks_for_settings(choice) && !plan_.made.left.empty();
}

void SettingsRestorer::require_server(const std::set<std::string>& databases) {
  if (!client_) return;
  const auto answer = client_->query("SHOW DATABASES");
  if (std::set<std::string>(answer.begin(), answer.end()) != databases)
    throw UsageError(
        fmt::format("{} has other databases than the server at --host, or the user does not see "
                    "them all",
                    client_->url()),
        "--http and --host have to name the same server, and --user an administrator");
  client_->query("SHOW USERS");  // for administrators only
}

void SettingsRestorer::run(SettingsReport& report) {
  for (const InfluxqlStatement& statement : plan_.made.statements) try {
      client_->query(statement.text);
      ++report.sent;
    } catch (const ProtocolError& error) {
      report.failed.push_back({statement.shown, error.what()});
    }
}

}  // namespace tsmfs::snapshot
