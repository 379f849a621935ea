#include "cli/commands/command.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <cstdlib>
#include <map>

#include "index/base/error.h"
#include "index/base/parse_number.h"
#include "index/base/quote.h"
#include "index/base/visible.h"
#include "index/codec/frame_codec.h"
#include "snapshot/model/shard_path.h"

namespace tsmfs::cli {

namespace {

constexpr const char* kRepositoryVariable = "TSMFS_REPOSITORY";

}  // namespace

CLI::Option* add_location_option(CLI::App& command, const std::string& name,
                                 index::RepositoryLocation& repository, const std::string& what) {
  const auto take = [&repository](const std::string& text) {
    repository = index::RepositoryLocation::parse(text);
  };
  return command.add_option_function<std::string>(name, take, what)->type_name("DIR");
}

void add_repository_option(CLI::App& command, index::RepositoryLocation& repository) {
  add_location_option(command, "--repo,-r", repository, "The repository's directory")
      ->envname(kRepositoryVariable);
}

bool is_from_environment(const char* name, const std::string& value) {
  const char* there = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): it is never changed
  return there != nullptr && value == there;
}

void take_last_argument(const std::filesystem::path& last_argument,
                        index::RepositoryLocation& repository) {
  if (last_argument.empty()) return;
  if (!repository.empty() && repository.directory() != last_argument &&
      !is_from_environment(kRepositoryVariable, repository.text()))
    throw UsageError(fmt::format("two repositories are named: --repo {}, and {}",
                                 quote(repository.text()), quote(last_argument.string())),
                     "name one of them");
  repository = index::RepositoryLocation::parse(last_argument.string());
}

void add_lock_wait_option(CLI::App& command, std::chrono::seconds& wait) {
  command
      .add_option_function<std::string>(
          "--lock-wait",
          [&wait](const std::string& text) {
            int64_t seconds = 0;
            CLI::AsNumberWithUnit unit(
                std::map<std::string, int64_t>{{"s", 1}, {"m", 60}, {"h", 3600}});
            std::string number = text;
            if (const std::string error = unit(number); !error.empty())
              throw CLI::ValidationError("--lock-wait", error);
            if (!CLI::detail::lexical_cast(number, seconds) || seconds < 0)
              throw CLI::ValidationError("--lock-wait", "no time: " + text);
            wait = std::chrono::seconds(seconds);
          },
          "Wait so long for another writer: 30s, 5m, 1h")
      ->type_name("TIME");
}

void add_compression_option(CLI::App& command, std::string& compression) {
  compression = std::to_string(index::Compression::kLevelDefault);
  command.add_option("--compression", compression, "none, fast, columns, or a zstd level, 1 to 19")
      ->capture_default_str();
}

void add_tag_option(CLI::App& command, std::vector<std::string>& tags) {
  command.add_option("--tag", tags, "Tag the snapshot; keep pins it; may be repeated")
      ->type_name("TAG")
      ->allow_extra_args(false);
}

void add_accept_missing_option(CLI::App& command, std::set<uint64_t>& shards) {
  command
      .add_option_function<std::vector<std::string>>(
          "--accept-missing",
          [&shards](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) shards.insert(parse_shard_number(text));
          },
          "This shard may be missing, from now on;\nmay be repeated")
      ->type_name("SHARD")
      ->allow_extra_args(false);
}

uint64_t parse_shard_number(const std::string& text) {
  if (const auto path = snapshot::parse_shard_path(text)) return path->shard;
  if (const auto number = parse_number<uint64_t>(text)) return *number;
  throw UsageError(fmt::format("{} is no shard", quote(text)),
                   "give its number, or DATABASE/POLICY/NUMBER");
}

void warn_of_open_connection(const snapshot::Endpoint& endpoint, std::string_view advice,
                             std::ostream& err) {
  if (snapshot::is_loopback(endpoint)) return;
  fmt::print(err, "tsmfs: warning: the connection to {} is neither encrypted nor authenticated{}\n",
             endpoint.text(), advice);
}

Name require_name(const std::string& text, std::string_view what) {
  // Manifests and requests hold JSON: other bytes would come back as another name.
  const auto name = Name::parse(text);
  if (name && is_utf8(text)) return *name;
  throw UsageError(fmt::format("{} cannot be the name of a {}", quote(text), what));
}

void require_repository(const index::RepositoryLocation& repository) {
  if (repository.empty())
    throw UsageError("no repository was named", "use --repo DIR, or set TSMFS_REPOSITORY");
}

}  // namespace tsmfs::cli
