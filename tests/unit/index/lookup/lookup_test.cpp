#include "index/lookup/lookup.h"

#include <gtest/gtest.h>

#include "index/base/error.h"
#include "index/repository/repository.h"
#include "tests/support/numbered_id.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::index {
namespace {

TEST(Lookup, RefusesARecipeWithoutItsPacks) {
  const test::TempDir dir;
  Repository::create({dir / "repo"});
  const auto repository = Repository::open_writer({dir / "repo", "test"});
  PackContents contents;
  contents.header = {test::numbered<PackId>(1), repository->config().id, 1};
  contents.lists.needed = {test::numbered<PackId>(1)};
  EXPECT_NO_THROW(repository->lookup().add_pack(contents));
  contents.header = {test::numbered<PackId>(2), repository->config().id, 2};
  contents.lists.needed = {test::numbered<PackId>(1), test::numbered<PackId>(3)};
  EXPECT_THROW(repository->lookup().add_pack(contents), InvariantError);
  EXPECT_FALSE(repository->lookup().has_pack(test::numbered<PackId>(2)));
}

}  // namespace
}  // namespace tsmfs::index
