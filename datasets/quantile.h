// An order statistic.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace ptl {

/// The element at `share` (0..1) of the sorted values, of which there is at least one.
inline double quantile(std::vector<double> values, double share) {
  const auto rank = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<size_t>(rank)];
}

}  // namespace ptl
