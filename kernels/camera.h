// Camera models: how a point in the camera frame becomes a pixel, and back.
// Pixel convention: continuous coordinates, the centre of the upper-left pixel is (0.5, 0.5).
#pragma once

#include <cstdint>

#include "kernels/se3.h"

namespace ptl {

/// Ids of our own models; they are part of the model file format.
enum class CameraModel : int32_t {
  /// Pinhole with OpenCV's rational distortion. Parameters in order:
  /// fx, fy, cx, cy, skew, k1, k2, p1, p2, k3, k4, k5, k6.
  pinhole = 0,
};

inline constexpr int camera_param_capacity = 16;

/// One camera at its full resolution. Plain data, passed by value to kernels.
template <class T>
struct CameraParams {
  CameraModel model = CameraModel::pinhole;
  int32_t width_px = 0;
  int32_t height_px = 0;
  T value[camera_param_capacity] = {};  ///< order as the model says; focal lengths and centres in pixels; padded with 0
  /// Undistorted radius √(X²+Y²)/Z up to which r·radial(r) increases; points beyond it are culled. Set by
  /// update_valid_radius() whenever parameters change.
  T valid_radius = T(1e30);
};

/// The affine step after the camera model: x_crop = zoom * x_photo - offset_px. Identity for the whole photo.
struct Crop {
  float zoom = 1.0f;
  float offset_x_px = 0.0f;  ///< in pixels of the crop (after the zoom)
  float offset_y_px = 0.0f;
  int32_t width_px = 0;      ///< size of the crop
  int32_t height_px = 0;
};

}  // namespace ptl
