// TSM files whose blocks have times that can be decoded.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "index/base/bytes.h"

namespace tsmfs::test {

// The times of each key's points, sorted; a block for each key and `points_per_block` points. Equal
// input gives equal bytes; `salt` changes the values. `type` is what the index says of
// all blocks.
using KeyTimes = std::map<std::string, std::vector<int64_t>>;
ByteBuffer make_point_tsm(const KeyTimes& keys, size_t points_per_block = 1000, uint8_t salt = 0,
                          uint8_t type = 0);
// From `begin` on, before `end`.
std::vector<int64_t> times(int64_t begin, int64_t end, int64_t step = 1);

}  // namespace tsmfs::test
