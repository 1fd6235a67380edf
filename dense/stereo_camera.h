// The ideal camera of the stereo, and photos as its kernels see them: plain data, for the CPU and the GPU.
#pragma once

#include <cstdint>

#include "kernels/se3.h"

namespace ptl {

/// A pinhole without distortion. Pixels as everywhere: the centre of the upper-left one is (0.5, 0.5).
struct StereoCamera {
  int width_px = 0, height_px = 0;
  double focal_x_px = 1, focal_y_px = 1, centre_x_px = 0, centre_y_px = 0;
  Pose<double> camera_from_world;

  /// Pixel position → direction in the camera frame with z = 1.
  PTL_HD Vec3<double> ray(double x_px, double y_px) const {
    return {(x_px - centre_x_px) / focal_x_px, (y_px - centre_y_px) / focal_y_px, 1};
  }
  /// Camera frame → pixel position; z must be positive.
  PTL_HD Vec2<double> pixel(const Vec3<double>& x_camera) const {
    return {focal_x_px * x_camera.x / x_camera.z + centre_x_px, focal_y_px * x_camera.y / x_camera.z + centre_y_px};
  }
  PTL_HD Vec3<double> position_world(double x_px, double y_px, double depth_m) const {
    return glm::transpose(camera_from_world.rotation) * (ray(x_px, y_px) * depth_m - camera_from_world.translation);
  }
  PTL_HD bool contains(const Vec2<double>& pixel_px) const {
    return pixel_px.x >= 0 && pixel_px.y >= 0 && pixel_px.x < width_px && pixel_px.y < height_px;
  }
  PTL_HD size_t pixel_count() const { return static_cast<size_t>(width_px) * static_cast<size_t>(height_px); }
  PTL_HD size_t index(int x, int y) const {
    return static_cast<size_t>(y) * static_cast<size_t>(width_px) + static_cast<size_t>(x);
  }
};

/// The pixels of a photo that is matched, in a device's memory.
struct MatchPixels {
  int width_px = 0, height_px = 0;
  const float* luminance = nullptr;  ///< [height, width], 0..255
  const uint8_t* valid = nullptr;    ///< [height, width]

  PTL_HD int64_t index(int x, int y) const { return static_cast<int64_t>(y) * width_px + x; }
  PTL_HD int64_t count() const { return static_cast<int64_t>(width_px) * height_px; }
};

}  // namespace ptl
