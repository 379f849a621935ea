#include "index/lookup/lookup.h"

#include <gtest/gtest.h>

#include "index/base/error.h"
#include "index/repository/repository.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::index {
namespace {

PackId numbered_pack(uint8_t number) {
  PackId id;
  id.bytes[0] = std::byte{number};
  return id;
}

TEST(Lookup, RefusesARecipeWithoutItsPacks) {
  const test::TempDir dir;
  Repository::create({dir / "repo"});
  const auto repository = Repository::open_writer({dir / "repo", "test"});
  PackContents contents;
  contents.header = {numbered_pack(1), repository->config().id, 1};
  contents.lists.needed = {numbered_pack(1)};
  EXPECT_NO_THROW(repository->lookup().add_pack(contents));
  contents.header = {numbered_pack(2), repository->config().id, 2};
  contents.lists.needed = {numbered_pack(1), numbered_pack(3)};
  EXPECT_THROW(repository->lookup().add_pack(contents), InvariantError);
  EXPECT_FALSE(repository->lookup().has_pack(numbered_pack(2)));
}

}  // namespace
}  // namespace tsmfs::index
