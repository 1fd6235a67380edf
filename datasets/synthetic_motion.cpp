// How the camera of a synthetic scene moves while it takes its photos.
#include <cmath>

#include "datasets/synthetic_capture.h"

namespace ptl {

namespace {

// Of a hand: rotations about x and y foremost; translations in depths, rolling in radians, against these.
constexpr double roll_share = 0.5, translation_share = 0.3;

}  // namespace

PhotoMotion synthetic_motion(const SyntheticOptions& options, const CameraParams<double>& camera,
                             double typical_depth_m, int image) {
  const auto normal = [&](uint64_t which) {
    return normal_of(draw_unit(options.seed, DrawPurpose::synthetic, 32, static_cast<uint64_t>(image), 2 * which),
                     draw_unit(options.seed, DrawPurpose::synthetic, 32, static_cast<uint64_t>(image), 2 * which + 1));
  };
  const Tangent<double> velocity{translation_share * typical_depth_m * Vec3<double>(normal(0), normal(1), normal(2)),
                                 Vec3<double>(normal(3), normal(4), roll_share * normal(5))};
  const double size = 0.5 + draw_unit(options.seed, DrawPurpose::synthetic, 33, static_cast<uint64_t>(image));
  const double per_px = size / mean_motion_px(camera, typical_depth_m, velocity);
  return {options.rolling_shutter_px * per_px * velocity, options.motion_blur_px * per_px * velocity};
}

}  // namespace ptl
