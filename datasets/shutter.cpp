#include "datasets/shutter.h"

#include <cmath>

namespace ptl {

Projection<double> project_in_motion(const CameraParams<double>& camera, const Pose<double>& camera_from_world,
                                     const PhotoMotion& motion, const Vec3<double>& x_world) {
  // Each round takes the pose of the row that the last one found: the error shrinks by the share of the photo's height
  // that the point moves during the readout.
  double y_px = 0.5 * camera.height_px;
  Projection<double> seen;
  for (int round = 0; round < 40; ++round) {
    seen = project(camera, pose_at_row(camera_from_world, motion, y_px, camera.height_px) * x_world);
    if (!seen.valid || std::fabs(seen.y_px - y_px) < 1e-8) return seen;
    y_px = seen.y_px;
  }
  seen.valid = false;
  return seen;
}

double mean_motion_px(const CameraParams<double>& camera, double depth_m, const Tangent<double>& motion) {
  constexpr int columns = 9, rows = 6;
  double sum_px = 0;
  int count = 0;
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column) {
      Vec3<double> ray;
      if (!unproject_ray(camera, (column + 0.5) / columns * camera.width_px, (row + 0.5) / rows * camera.height_px, ray)) continue;
      double moved_px[2];
      const std::array<Tangent<double>, 2> gradients = pixel_gradients(camera, depth_m * ray);
      for (size_t k = 0; k < 2; ++k)
        moved_px[k] = glm::dot(gradients[k].translation, motion.translation) + glm::dot(gradients[k].rotation, motion.rotation);
      sum_px += std::hypot(moved_px[0], moved_px[1]);
      ++count;
    }
  return count > 0 ? sum_px / count : 0;
}

}  // namespace ptl
