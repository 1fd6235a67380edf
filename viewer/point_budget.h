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
    // Slower counts at once, faster little by little: a frame too long is seen, one too short is not. The first ones
    // too: what drawing needs for so many points, memory above all, is there when points were drawn before.
    points_per_ms_ = rate < points_per_ms_ ? rate : 0.8 * points_per_ms_ + 0.2 * rate;
  }
  /// At least a few, so that something is measured.
  uint64_t points_in(double milliseconds) const {
    return static_cast<uint64_t>(std::max(20000.0, milliseconds * points_per_ms_));
  }
  double points_per_ms() const { return points_per_ms_; }

  static constexpr double first_guess_per_ms = 2000;  ///< slow computers' rate

 private:
  double points_per_ms_ = first_guess_per_ms;
};

}  // namespace ptl
