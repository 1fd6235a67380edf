// Order statistics of figures of which some are not known (NaN).
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "datasets/quantile.h"

namespace ptl::doctor {

inline constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

inline std::vector<double> known(const std::vector<double>& values) {
  std::vector<double> result;
  for (const double value : values)
    if (std::isfinite(value)) result.push_back(value);
  return result;
}

/// NaN where nothing is known.
inline double known_quantile(const std::vector<double>& values, double share) {
  std::vector<double> finite = known(values);
  return finite.empty() ? unknown : quantile(std::move(finite), share);
}
inline double known_median(const std::vector<double>& values) {
  return known_quantile(values, 0.5);
}

/// 1.4826 times the median distance from the median: a normal distribution's standard deviation. NaN: nothing known.
inline double known_spread(const std::vector<double>& values) {
  const double middle = known_median(values);
  std::vector<double> distance;
  for (const double value : known(values)) distance.push_back(std::abs(value - middle));
  return distance.empty() ? unknown : 1.4826 * quantile(std::move(distance), 0.5);
}

}  // namespace ptl::doctor
