#include "snapshot/rehearse/server_answers.h"

#include <string_view>

namespace tsmfs::snapshot {

std::vector<AnsweredShard> ask_shards(QueryClient& server) {
  constexpr size_t kId = 0, kDatabase = 1, kPolicy = 2, kStart = 4;
  std::vector<AnsweredShard> shards;
  const auto answer = server.ask("SHOW SHARDS");
  for (const auto& series : answer.at(0))
    for (const auto& row : series.rows)
      if (row.size() > kStart)
        shards.push_back({row[kDatabase], row[kPolicy], row[kId], row[kStart]});
  return shards;
}

std::map<std::string, std::string> ask_counts(QueryClient& server, const std::string& from) {
  constexpr std::string_view kCountOf = "count_";
  std::map<std::string, std::string> counts;
  const auto answer = server.ask("SELECT count(*) " + from);
  for (const auto& series : answer.at(0))
    for (size_t i = 0; i < series.columns.size() && !series.rows.empty(); ++i) {
      const std::string& column = series.columns[i];
      const std::string& count = series.rows[0].at(i);
      if (column.starts_with(kCountOf) && !count.empty() && count != "0")
        counts[column.substr(kCountOf.size())] = count;
    }
  return counts;
}

}  // namespace tsmfs::snapshot
