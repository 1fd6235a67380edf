#include "dense/source_map.h"

#include <algorithm>

namespace ptl {

SourceMap source_map(const StereoCamera& reference, const StereoCamera& source) {
  const auto calibration = [](const StereoCamera& c) {
    return Mat3<double>(Vec3<double>(c.focal_x_px, 0, 0), Vec3<double>(0, c.focal_y_px, 0),
                        Vec3<double>(c.centre_x_px, c.centre_y_px, 1));
  };
  const Pose<double> relative = source.camera_from_world * inverse(reference.camera_from_world);
  const Mat3<double> k = calibration(source);
  return {k * relative.rotation * glm::inverse(calibration(reference)), k * relative.translation};
}

SearchRange search_range(const StereoCamera& reference, std::span<const StereoCamera> sources, double near_m,
                         double far_m) {
  constexpr double least_steps = 32, part = 1e-3;
  SearchRange range{1 / far_m, 1 / near_m, 0};
  const double size = range.most_w - range.least_w;
  const Vec3<double> middle(reference.width_px / 2.0, reference.height_px / 2.0, 1);
  double motion_px = least_steps;
  for (const StereoCamera& source : sources) {
    // Around the middle of the range, where the motion is typical.
    const SourceMap map = source_map(reference, source);
    const double w = 0.5 * (range.least_w + range.most_w);
    const Vec3<double> a = map.base * middle + map.shift * w, b = map.base * middle + map.shift * (w + size * part);
    if (a.z <= 0 || b.z <= 0) continue;
    motion_px = std::max(motion_px, glm::length(Vec2<double>(a) / a.z - Vec2<double>(b) / b.z) / part);
  }
  range.step_w = size / motion_px;
  return range;
}

}  // namespace ptl
