// How many points a frame may draw, from measured times. Points are counted as what they cost: in points of one pixel.
#pragma once

#include <algorithm>
#include <cstdint>

namespace ptl {

class PointBudget {
 public:
  /// Drawing so many points took so long.
  void measured(uint64_t points, double milliseconds) {
    if (points < 1000 || !(milliseconds > 0)) return;
    const double rate = static_cast<double>(points) / milliseconds;
    // Slower counts at once, faster little by little: a frame too long is seen, one too short is not.
    points_per_ms_ = points_per_ms_ == 0 || rate < points_per_ms_ ? rate : 0.8 * points_per_ms_ + 0.2 * rate;
  }
  /// At least a few, so that something is measured.
  uint64_t points_in(double milliseconds) const {
    constexpr double first_guess_per_ms = 5000;
    return static_cast<uint64_t>(
        std::max(20000.0, milliseconds * (points_per_ms_ > 0 ? points_per_ms_ : first_guess_per_ms)));
  }
  double points_per_ms() const { return points_per_ms_; }

 private:
  double points_per_ms_ = 0;
};

}  // namespace ptl
