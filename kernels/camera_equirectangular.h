// A panorama of the whole sphere: COLMAP's EQUIRECTANGULAR. No parameter; the photo is W × H pixels.
//   x = (atan2(X, Z) / 2π + ½) W,  y = (atan2(Y, √(X² + Z²)) / π + ½) H
// x wraps: its seam is straight behind. Projected pixels are inside of [0, W) × [0, H), the poles too.
#pragma once

#include "kernels/camera_wide.h"

namespace ptl {

struct EquirectangularModel {
  enum Param { param_count };
  static constexpr bool is_pinhole = false;
  static constexpr bool wraps_x = true;
  static constexpr double pi = 3.14159265358979323846;

  template <class T>
  PTL_HD static Projection<T> project(const CameraParams<T>& camera, const Vec3<T>& x_camera) {
    const T width = static_cast<T>(camera.width_px), height = static_cast<T>(camera.height_px);
    const T level_square = x_camera.x * x_camera.x + x_camera.z * x_camera.z, level = std::sqrt(level_square);
    const T distance = std::sqrt(level_square + x_camera.y * x_camera.y);
    T x = (arctan2(x_camera.x, x_camera.z) * T(0.5 / pi) + T(0.5)) * width;
    T y = (arctan2(x_camera.y, level) * T(1 / pi) + T(0.5)) * height;
    constexpr T last = T(1) - (sizeof(T) == 8 ? T(1.2e-16) : T(6e-8));  // the largest number below 1
    x = x < width ? x : x - width;
    x = x < T(0) ? T(0) : x;
    y = y < height ? y : height * last;
    y = y < T(0) ? T(0) : y;
    return {x, y, distance, distance > T(0)};
  }

  PTL_HD static float least_depth_m(const Pose<float>& camera_from_world, const float* low, const float* high) {
    return least_distance_m(camera_from_world, low, high);
  }

  /// As of all models. Towards the poles a point's longitude turns ever faster; nearer than 1e-4 rad its derivative is held.
  template <class T>
  PTL_HD static void pull_back(const CameraParams<T>& camera, T x, T y, T z, T grad_x, T grad_y, T (&grad_point)[3],
                               T (&)[1]) {
    const T level_square = x * x + z * z, square = level_square + y * y;
    const T least = T(1e-8) * square, turned = level_square > least ? level_square : least;
    const T level = std::sqrt(turned);
    const T longitude = grad_x * static_cast<T>(camera.width_px) * T(0.5 / pi) / turned;
    const T latitude = grad_y * static_cast<T>(camera.height_px) * T(1 / pi) / square;
    grad_point[0] = longitude * z - latitude * y * x / level;
    grad_point[1] = latitude * std::sqrt(level_square);
    grad_point[2] = -longitude * x - latitude * y * z / level;
  }

  /// Pixel of the whole photo → direction of length 1. x wraps; false above and below the photo, with the pole's direction.
  template <class T>
  PTL_HD static bool unproject(const CameraParams<T>& camera, T x_px, T y_px, Vec3<T>& ray) {
    const T height = static_cast<T>(camera.height_px);
    const bool inside = (y_px >= T(0)) & (y_px <= height);
    const T row = y_px > T(0) ? (y_px < height ? y_px : height) : T(0);
    const T longitude = (x_px / static_cast<T>(camera.width_px) - T(0.5)) * T(2 * pi);
    const T latitude = (row / height - T(0.5)) * T(pi);
    const T level = std::cos(latitude);
    ray = Vec3<T>(level * T(std::sin(longitude)), T(std::sin(latitude)), level * T(std::cos(longitude)));
    return inside;
  }

  template <class T>
  PTL_HD static T focal_length_px(const CameraParams<T>& camera) {
    return static_cast<T>(camera.width_px) * T(0.5 / pi);
  }

  template <class T>
  static T valid_radius(const CameraParams<T>&) {
    return T(pi);
  }

  /// The size is all there is.
  template <class T>
  static void scale(CameraParams<T>&, T, T) {}
  template <class T>
  static void move(CameraParams<T>&, T, T) {}
};

}  // namespace ptl
