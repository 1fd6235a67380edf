// Exposures, white balances, vignettes and responses from colours of the same points in several photos, before anything is
// fitted: the tone mapper's own formula (kernels/tone.h), with a radiance of its own for each point and channel, by robust
// least squares (Gauss–Newton; the radiances are eliminated). As Goldman & Chen, "Vignette and exposure calibration and
// compensation" (2005), section 3, with white balance, priors, and the response of method section 6.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/tone.h"

namespace ptl {

/// A point in a photo.
struct LightSighting {
  int32_t image = 0;         ///< index into LightProblem::images
  int32_t point = 0;         ///< from 0 to LightProblem::points − 1
  Vec2<double> position;     ///< kernels/tone.h: vignette_position
  Vec3<double> value;        ///< as the photo has it, 0..1
};

struct LightImage {
  int32_t camera = 0;
  double exposure_ev = 0;       ///< to begin with, relative to the scene's mean
  bool exposure_known = false;  ///< from EXIF: it is believed to 0.3 stops, otherwise to one
};

struct LightProblem {
  std::vector<LightImage> images;
  std::vector<LightSighting> sightings;  ///< in the order of images
  int32_t points = 0;
  int32_t cameras = 1;
  std::vector<FittedTone<double>> camera_at_first;  ///< vignettes and responses; empty: no vignette, set_initial_response()
  double log_stops = 0;                             ///< of HDR photos (ToneParams)
  bool exposure = true, white_balance = true, vignette = true, response = true;  ///< what is looked for; the rest is as at first
};

/// Per image: exposure_ev and white_balance; per camera: vignette and response.
struct LightSolution {
  std::vector<double> exposure_ev;
  std::vector<std::array<double, 2>> white_balance;
  std::vector<FittedTone<double>> camera;
  double error_before = 0, error_after = 0;  ///< median over values of |photo − what the camera makes of the point|
  int64_t values = 0;                        ///< channels of sightings that were neither black nor white
  int steps = 0;
};

/// The mean exposure stays as given, the geometric mean of white balances is 1, the response at 0.5 stays as at first.
LightSolution solve_light(const LightProblem& problem);

}  // namespace ptl
