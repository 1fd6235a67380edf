// Which resolution holds the wanted frame rate, from measured times.
#pragma once

#include <deque>

namespace ptl {

/// Time is taken as fixed + per_pixel · pixels: points cost what they cost, the network goes by pixels. Both are
/// fitted, not below 0, to the last measurements.
class ResolutionChooser {
 public:
  explicit ResolutionChooser(double target_ms = 66) : target_ms_(target_ms) {}

  void set_target_ms(double target_ms) { target_ms_ = target_ms; }
  double target_ms() const { return target_ms_; }

  /// A finished picture of so many pixels.
  void measured(double pixels, double milliseconds);
  /// Another model or another kind of picture: measurements so far mean nothing.
  void forget() { samples_.clear(); }

  /// Share of each side, from least_scale to 1, in steps of 1/16, for a view of `full_pixels`. Where the fixed part
  /// alone takes longer than the target, pixels are taken away only until they cost as little as a third of it: fewer
  /// would cost sharpness and win nothing. Before the first measurement: 1/4.
  double moving_scale(double full_pixels) const;
  /// The prediction for a picture; 0 before the first measurement.
  double predicted_ms(double pixels) const;

  static constexpr double least_scale = 0.125;

 private:
  struct Sample {
    double pixels, milliseconds;
  };
  struct Line {
    double fixed_ms, per_pixel_ms;
  };
  Line line() const;

  double target_ms_;
  std::deque<Sample> samples_;
};

}  // namespace ptl
