// How a camera moved while a photo was read out, from the photo's observations of sparse points.
#pragma once

#include <array>
#include <vector>

#include "doctor/evidence.h"

namespace ptl::doctor {

/// One point that a photo observed.
struct MovingObservation {
  double row_time = 0;                              ///< of a readout row by row, −1/2 to 1/2 (datasets/shutter.h)
  double column_time = 0;                           ///< of one column by column, from left to right
  Vec2<double> residual_px{0};                      ///< observed less projected
  std::array<std::array<double, 6>, 2> gradient{};  ///< of x_px and of y_px, by components of a tangent in units that
                                                    ///< each move points by the order of a pixel
};

/// Of a photo's observations, at most about `most`, evenly.
std::vector<MovingObservation> moving_observations(const Evidence& evidence, size_t image, size_t most);

/// A camera's tangent during a readout, in the components of MovingObservation::gradient.
using ReadoutMotion = std::array<double, 6>;

/// By how much the observed points move during the readout, mean.
double motion_length_px(const std::vector<MovingObservation>& observations, const ReadoutMotion& motion);

struct ReadoutFit {
  ReadoutMotion motion{};
  double gain = 0;         ///< share of the squared residuals that a motion explains and no pose does
  double column_gain = 0;  ///< the same, had the photo been read out by columns
};

/// Fits pose and motion together, by least squares in which residuals far beyond the others' count little, to one half
/// of the observations and scores them on the other half, both ways: a motion that only follows noise has a gain below
/// 0. A pose alone, in the same way, is what the gains are against, since poses of a still camera hold a part of the
/// motion. Pose and motion are expected to move points by about `prior_px`. At least 2 observations.
ReadoutFit fit_readout(const std::vector<MovingObservation>& observations, double prior_px);

}  // namespace ptl::doctor
