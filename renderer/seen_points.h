// The points of a cloud that a camera sees, whatever hides them: what errors in pixels and typical depths are measured
// on.
#pragma once

#include <algorithm>

#include "kernels/camera.h"

namespace ptl {

/// f(point, Projection) for those of about `most` points, evenly spread over the cloud, that fall into the photo.
/// position: [count, 3] scene coordinates, on the CPU.
template <class F>
void for_each_seen_point(const CameraParams<double>& camera, const Pose<double>& camera_from_world,
                         const float* position, int64_t count, int64_t most, F f) {
  const int64_t stride = std::max<int64_t>(1, count / most);
  for (int64_t i = 0; i < count; i += stride) {
    const Vec3<double> point(position[3 * i], position[3 * i + 1], position[3 * i + 2]);
    const Projection<double> at = project(camera, camera_from_world * point);
    if (at.valid && at.x_px >= 0 && at.y_px >= 0 && at.x_px < camera.width_px && at.y_px < camera.height_px)
      f(point, at);
  }
}

}  // namespace ptl
