// A wide lens as a table, for drawing points by OpenGL: how far from the axis an angle lands, for every model that looks about
// the same in all directions. What tangential and prism terms add is left out: fractions of a pixel.
#pragma once

#include <array>

#include "kernels/camera.h"

namespace ptl {

struct LensTable {
  static constexpr int steps = 64;
  Vec2<double> centre_px{0};           ///< of the axis
  Vec2<double> columns_px[2] = {};     ///< pixels of a step of 1 of the plane's x, y
  double largest_angle_rad = 0;        ///< from the axis
  std::array<float, steps + 1> radius = {};  ///< on that plane, at largest_angle_rad · i / steps; of slope 1 at the axis

  /// Pixel of a point in the camera frame within the largest angle.
  Vec2<double> pixel(const Vec3<double>& x_camera) const;
};

/// Of any model but pinhole and equirectangular.
LensTable lens_table(const CameraParams<double>& camera);

}  // namespace ptl
