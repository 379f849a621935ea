#include "cli/commands/restore_settings.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include <chrono>
#include <vector>

#include "cli/commands/http_password.h"
#include "cli/output/format.h"
#include "index/base/error.h"
#include "index/base/quote.h"

namespace tsmfs::cli {

SettingsRestore::SettingsRestore(const RestoreCommand& command, const snapshot::MetaChoice& choice,
                                 const snapshot::MissingSettings& missing, Context& context)
    : context_(context), asked_(snapshot::asks_for_settings(choice)) {
  if (command.http_url.empty()) {
    made_.left = missing;
  } else {
    connect(command);
    made_ = snapshot::statements_for(missing, choice);
  }
  const bool copy = choice.new_database || choice.new_policy;
  const char* http = "the snapshot service brings none; --http URL does";
  snapshot::MissingReasons reasons{http, http,
                                   "they would send the copy's points too; --with-subscriptions"};
  if (client_) {
    reasons.queries = "tsmfs sends single statements of their name only";
    reasons.users = "a user that is there is made no administrator";
  }
  if (copy) reasons.queries = "they name the original, and would write to it";
  for (const std::string& line : snapshot::describe(made_.left, reasons))
    print_message(context_.err, "warning", line);
}

void SettingsRestore::connect(const RestoreCommand& command) {
  snapshot::QueryServer server;
  server.url = command.http_url;
  server.user = command.http_user;
  if (!server.user.empty()) server.password = read_password(command.http_password_file);
  server.ca_file = command.http_ca;
  server.any_certificate = command.http_unsafe_ssl;
  server.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::duration<double>(command.timeout_s));
  client_ = std::make_unique<snapshot::QueryClient>(std::move(server), context_.stop);
  if (client_->is_open() && !context_.quiet)
    print_message(
        context_.err, "warning",
        fmt::format("{} is not encrypted: passwords go there in the clear", client_->url()));
}

void SettingsRestore::require_server(const std::set<std::string>& databases) {
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

void SettingsRestore::print_plan(std::ostream& out) const {
  for (const auto& statement : made_.statements)
    fmt::print(out, "would send: {}\n", visible(statement.shown));
}

ExitCode SettingsRestore::run() {
  size_t failed = 0;
  for (const auto& statement : made_.statements) try {
      client_->query(statement.text);
    } catch (const Cancelled&) {
      throw;
    } catch (const ProtocolError& error) {
      ++failed;
      print_message(context_.err, "",
                    fmt::format("{} failed: {}", visible(statement.shown), error.what()));
    }
  if (client_)
    fmt::print(context_.out, "{} of {} statements sent to {}\n", made_.statements.size() - failed,
               made_.statements.size(), client_->url());
  if (!made_.new_users.empty()) {
    std::vector<std::string> names;
    for (const std::string& name : made_.new_users) names.push_back(quote(name));
    print_message(
        context_.err, "",
        fmt::format("passwords cannot be read back: new users have a random one that nobody knows, "
                    "until SET PASSWORD FOR \"name\" = '...': {}",
                    fmt::join(names, ", ")));
  }
  return failed > 0 || lacks() ? ExitCode::kIncomplete : ExitCode::kOk;
}

}  // namespace tsmfs::cli
