// The plain data of cameras, shared by all camera models.
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

  bool operator==(const CameraParams&) const = default;  ///< to the bit
};

/// The affine step after the camera model: x_crop = zoom * x_photo - offset_px. Identity for the whole photo.
struct Crop {
  float zoom = 1.0f;
  float offset_x_px = 0.0f;  ///< in pixels of the crop (after the zoom)
  float offset_y_px = 0.0f;
  int32_t width_px = 0;      ///< size of the crop
  int32_t height_px = 0;
};

/// What a camera model makes of a point in the camera frame. x_px and y_px are in the whole photo; meaningless
/// unless valid.
template <class T>
struct Projection {
  T x_px = 0;
  T y_px = 0;
  T depth_m = 0;       ///< z for the pinhole, the distance for wider models (method section 1)
  bool valid = false;  ///< in front of the camera and within the model's range; may still be outside of the image
};

/// Derivatives of (x_px, y_px): row 0 of x_px, row 1 of y_px.
template <class T>
struct ProjectionJacobian {
  Vec3<T> point[2] = {Vec3<T>(T(0)), Vec3<T>(T(0))};  ///< with respect to the point in the camera frame
  T params[2][camera_param_capacity] = {};            ///< with respect to CameraParams::value; 0 for the padding
};

}  // namespace ptl
