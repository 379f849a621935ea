#include "index/repository/rebuild.h"

#include "tests/unit/known_file_fixture.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;
using index::PackId;

class RebuildTest : public KnownFileTest {};

TEST_F(RebuildTest, WhatAPackThatCameBackCompletesIsWholeAgain) {
  import_files(both_, 1);
  PackId id;
  stdfs::path path;
  {
    const auto repository = index::Repository::open_reader({root});
    const auto recipe = repository->objects().read_recipe(id_in(*repository, returning_));
    id = packs_needed(*recipe).front();
    path = test::RepositoryPaths(repository->local().root()).pack(id);
  }
  stdfs::rename(path, dir / "aside");
  index::Repository::rebuild_lookup({root, "test"});
  stdfs::rename(dir / "aside", path);
  const auto repository = index::Repository::open_writer({root, "test"});
  EXPECT_FALSE(repository->lookup().find_file(id_in(*repository, returning_))->lossy);
}

}  // namespace
}  // namespace tsmfs::snapshot
