// What a repository in columns is made of: TSM files whose blocks are points, those that real
// servers wrote and others of every kind that is stored in a way of its own.
#pragma once

#include <filesystem>
#include <vector>

#include "tests/format/sample_history.h"

namespace tsmfs::test {

// sample_history(), and one shard more: the files in `tsm_files`, and blocks of awkward points.
std::vector<SampleSnapshot> sample_history_with_points(const std::filesystem::path& tsm_files);

}  // namespace tsmfs::test
