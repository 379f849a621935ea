// Points for TSM blocks of every kind that an encoder treats in a way of its own.
#pragma once

#include <cstdint>
#include <random>

#include "index/blocks/tsm_points.h"

namespace tsmfs::test {

// Points drawn at random: one pattern of times, and one of values, of the many that there are.
// Equal numbers that `random` gives make equal points. None is a NaN that ends a block of floats.
index::TsmPoints awkward_points(std::mt19937_64& random, uint8_t type, size_t count);

}  // namespace tsmfs::test
