// The cameras of photos as they are drawn: pyramids with the photo on their base. Which one is under the cursor.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "kernels/camera_params.h"
#include "kernels/se3.h"

namespace ptl {

/// In scene coordinates.
struct Frustum {
  Vec3<double> apex{0};                 ///< the camera's centre
  std::array<Vec3<double>, 4> corners;  ///< of the photo: upper left, upper right, lower right, lower left
};

/// The photo's corners where their rays reach this depth (camera z); with the lens's distortion.
Frustum camera_frustum(const CameraParams<double>& camera, const Pose<double>& camera_from_world, double depth);

/// A depth at which neighbouring frusta do not cover each other: half the median distance between neighbouring cameras,
/// but between 1/200 and 1/20 of the scene's extent.
double frustum_depth(const std::vector<Vec3<double>>& centres, double scene_extent);

/// Index of the frustum that is seen at a pixel of a view: its photo covers the pixel, or one of its edges passes
/// within `reach_px` of it; the nearest of them. One in whose apex the view stands is not there.
std::optional<size_t> pick_frustum(const std::vector<Frustum>& frusta, const CameraParams<double>& camera,
                                   const Pose<double>& camera_from_world, double x_px, double y_px,
                                   double reach_px = 4);

}  // namespace ptl
