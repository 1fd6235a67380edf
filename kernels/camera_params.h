// The plain data of cameras, shared by all camera models.
// Pixel convention: continuous coordinates, the centre of the upper-left pixel is (0.5, 0.5).
#pragma once

#include <cstdint>

#include "kernels/se3.h"

namespace ptl {

/// Ids of our own models; they are part of the model file format, as are the parameters' order and meaning: a number that
/// was given is never given again. For all but equirectangular and ocam, parameters 0 to 4 are fx, fy, cx, cy and skew,
/// so that what only scales or moves the image plane is the same for all of them.
enum class CameraModel : int32_t {
  pinhole = 0,                     ///< OpenCV's rational distortion: k1, k2, p1, p2, k3, k4, k5, k6
  fisheye = 1,                     ///< equidistant: k1, k2, p1, p2, k3, k4, sx1, sy1
  rad_tan_thin_prism_fisheye = 2,  ///< equidistant: k0 … k5, p0, p1, s0 … s3
  fov = 3,                         ///< omega
  division = 4,                    ///< k
  eucm = 5,                        ///< alpha, beta
  equirectangular = 6,             ///< no parameter: the image's size says all
  ocam = 7,                        ///< c, d, e, centre (row, column), cutoff, a0 … a17
};

/// The most that a model has. Kernels keep arrays of what their model has.
inline constexpr int camera_param_capacity = 24;

/// The same of one model, at least 1: an array has no 0 elements.
template <class Model>
inline constexpr int param_slots = Model::param_count > 0 ? Model::param_count : 1;

/// One camera at its full resolution. Plain data, passed by value to kernels.
template <class T>
struct CameraParams {
  CameraModel model = CameraModel::pinhole;
  int32_t width_px = 0;
  int32_t height_px = 0;
  T value[camera_param_capacity] = {};  ///< order as the model says; focal lengths and centres in pixels; padded with 0
  /// How far from the axis the model is monotonic; points beyond it are culled. Of the pinhole the undistorted radius
  /// √(X²+Y²)/Z up to which r·radial(r) increases; of wider models the angle from the axis in radians. Set by
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
  bool valid = false;  ///< seen by the camera and within the model's range; may still be outside of the image
};

/// Derivatives of (x_px, y_px): row 0 of x_px, row 1 of y_px.
template <class T>
struct ProjectionJacobian {
  Vec3<T> point[2] = {Vec3<T>(T(0)), Vec3<T>(T(0))};  ///< with respect to the point in the camera frame
  T params[2][camera_param_capacity] = {};            ///< with respect to CameraParams::value; 0 for the padding
};

}  // namespace ptl
