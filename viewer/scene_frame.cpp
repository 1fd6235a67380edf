#include "viewer/scene_frame.h"

#include <cmath>

namespace ptl {

Vec3<double> estimate_up(const std::vector<Pose<double>>& cameras_from_world) {
  using Vec = Vec3<double>;
  Vec up(0);
  for (const Pose<double>& pose : cameras_from_world) up -= glm::transpose(pose.rotation)[1];
  if (glm::length(up) < 1e-6) {  // none, or they cancel: the first one's
    up = cameras_from_world.empty() ? Vec(0, -1, 0) : -glm::transpose(cameras_from_world.front().rotation)[1];
  }
  up = glm::normalize(up);
  // Repeatedly: min over u of Σ w_i (level_i · u)² + μ |u − up|², where level_i is the camera's axis that is the more
  // level one, and w_i falls for cameras that are far from level (Cauchy's weights). μ keeps up where the level axes
  // say nothing, and is forgotten elsewhere.
  constexpr double usual_tilt_rad = 0.05;
  const double mu = 0.05 * static_cast<double>(cameras_from_world.size());
  for (int iteration = 0; iteration < 30 && !cameras_from_world.empty(); ++iteration) {
    Mat3<double> sum(mu);
    for (const Pose<double>& pose : cameras_from_world) {
      const Mat3<double> axes = glm::transpose(pose.rotation);
      // Straight up or down, photos have no level axis.
      const double upright = glm::length(glm::cross(axes[2], up));
      const Vec level = std::abs(glm::dot(axes[0], up)) < std::abs(glm::dot(axes[1], up)) ? axes[0] : axes[1];
      const double tilt = glm::dot(level, up) / usual_tilt_rad;
      sum += upright * upright / (1 + tilt * tilt) * glm::outerProduct(level, level);
    }
    up = glm::normalize(glm::inverse(sum) * (mu * up));
  }
  return up;
}

size_t middle_camera(const std::vector<Pose<double>>& cameras_from_world) {
  Vec3<double> middle(0);
  for (const Pose<double>& pose : cameras_from_world) middle += camera_centre(pose);
  middle /= static_cast<double>(cameras_from_world.size());
  size_t best = 0;
  for (size_t i = 1; i < cameras_from_world.size(); ++i)
    if (glm::distance(camera_centre(cameras_from_world[i]), middle) <
        glm::distance(camera_centre(cameras_from_world[best]), middle))
      best = i;
  return best;
}

}  // namespace ptl
