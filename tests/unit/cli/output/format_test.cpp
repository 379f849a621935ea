#include "cli/output/format.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tsmfs::cli {
namespace {

using snapshot::Problem;

TEST(ProblemLines, ManyThatSayTheSameAreOne) {
  std::vector<Problem> problems = {{Problem::Severity::kIncomplete, "db", "lacks a shard"}};
  for (int shard = 1; shard <= 65; ++shard)
    problems.push_back({Problem::Severity::kWarning, fmt::format("db/rp/{}", shard),
                        fmt::format("has {} bytes, '{}.tsm'", shard * 7, shard)});
  const auto lines = problem_lines(problems);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "INCOMPLETE: db lacks a shard");
  EXPECT_EQ(lines[1],
            "warning: db/rp/1 has 7 bytes, '1.tsm' (and 64 more like it: db/rp/2, db/rp/3, "
            "db/rp/4, ...)");
}

TEST(ProblemLines, AFewAreEachNamedAndSeveritiesAreNotMixed) {
  EXPECT_EQ(problem_lines({{Problem::Severity::kWarning, "a", "is odd"},
                           {Problem::Severity::kIncomplete, "b", "is odd"},
                           {Problem::Severity::kWarning, "c", "is odd"}})
                .size(),
            3u);
  EXPECT_TRUE(problem_lines({}).empty());
}

}  // namespace
}  // namespace tsmfs::cli
