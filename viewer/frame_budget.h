// How long a frame may draw points: what the rest of the interface leaves of it.
#pragma once

#include <algorithm>
#include <deque>

#include "datasets/quantile.h"

namespace ptl {

class FrameBudget {
 public:
  /// Of a frame: all but its points (panels, the picture's way to the window). A large window takes long for that.
  void measured(double rest_ms) {
    rest_ms_.push_back(rest_ms);
    if (rest_ms_.size() > window) rest_ms_.pop_front();
  }
  /// At most `most_ms`, and never so little that points hardly come. Goes by the median of the last frames: a single
  /// slow one says nothing about the next.
  double points_ms(double most_ms) const {
    if (rest_ms_.empty()) return most_ms;
    const double rest_ms = quantile({rest_ms_.begin(), rest_ms_.end()}, 0.5);
    return std::clamp(frame_ms - rest_ms, least_ms, most_ms);
  }

  static constexpr double frame_ms = 36;  ///< for all of a frame: below 50 ms where it takes a third longer than meant
  static constexpr double least_ms = 6;

 private:
  static constexpr size_t window = 5;
  std::deque<double> rest_ms_;
};

}  // namespace ptl
