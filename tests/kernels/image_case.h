// Images for tests of what goes over an image: layouts and values.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/hash.h"

namespace ptl::test {

enum class Channels { planar, interleaved, padded };  // padded: rows and planes have gaps, to be left alone

/// n values in (low, high], by seed.
template <class T>
std::vector<T> some_values(uint64_t seed, int64_t n, double low, double high) {
  std::vector<T> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<T>(low + (high - low) * static_cast<double>(draw_unit(seed, DrawPurpose::synthetic, i)));
  return values;
}

}  // namespace ptl::test
