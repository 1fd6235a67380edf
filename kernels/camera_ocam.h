// Scaramuzza's omnidirectional camera, as ADOP and Saiga use it (method section 1). With φ = θ − π/2, the angle above
// the plane Z = 0 counted backwards, and ρ = a0 + a1 φ + a2 φ² + …, in pixels:
//   (u, v) = ρ · (Y, X)/r,  y = c u + d v + centre row,  x = e u + v + centre column;  seen while φ ≤ cutoff
// A polynomial that is not 0 on the axis leaves a hole, or folds, less than a pixel wide there.
#pragma once

#include "kernels/camera_wide.h"

namespace ptl {

struct OcamModel : WideModel<OcamModel> {
  enum Param { c, d, e, centre_row, centre_column, cutoff, a0, param_count = a0 + 18 };
  static constexpr int coefficients = param_count - a0;

  template <class T>
  PTL_HD static Bend<T> bend(const CameraParams<T>& camera, T angle, T, T, T) {
    const T phi = angle - T(pi / 2);
    T radius = T(0), slope = T(0);
    for (int i = coefficients - 1; i >= 0; --i) {
      slope = slope * phi + radius;
      radius = radius * phi + camera.value[a0 + i];
    }
    return {radius, slope};
  }

  template <class T>
  PTL_HD static Vec2<T> pixel_of_plane(const CameraParams<T>& camera, const Vec2<T>& plane) {
    const T* const p = camera.value;
    return Vec2<T>(p[e] * plane.y + plane.x + p[centre_column], p[c] * plane.y + p[d] * plane.x + p[centre_row]);
  }

  template <class T>
  PTL_HD static Vec2<T> plane_of_pixel(const CameraParams<T>& camera, T x_px, T y_px) {
    const T* const p = camera.value;
    const T x = x_px - p[centre_column], y = y_px - p[centre_row], determinant = p[c] - p[d] * p[e];
    return Vec2<T>((p[c] * x - p[e] * y) / determinant, (y - p[d] * x) / determinant);
  }

  template <class T>
  PTL_HD static Vec2<T> grad_plane(const CameraParams<T>& camera, T grad_x, T grad_y) {
    const T* const p = camera.value;
    return Vec2<T>(grad_x + p[d] * grad_y, p[e] * grad_x + p[c] * grad_y);
  }

  template <class T>
  PTL_HD static T plane_scale(const CameraParams<T>& camera) {
    return std::sqrt(std::fabs(camera.value[c] - camera.value[d] * camera.value[e]));
  }

  static double last_angle(const CameraParams<double>& camera) {
    const double angle = camera.value[cutoff] + pi / 2;
    return angle > 0 ? std::fmin(angle, pi) : 0;
  }

  template <class T, int N>
  PTL_HD static void grad_lens(const CameraParams<T>&, const WidePoint<T>& at, const Vec2<T>& distorted, T grad_x,
                               T grad_y, T (&grad)[N]) {
    grad[c] = distorted.y * grad_y;
    grad[d] = distorted.x * grad_y;
    grad[e] = distorted.y * grad_x;
    grad[centre_row] = grad_y;
    grad[centre_column] = grad_x;
    grad[cutoff] = T(0);
    const T phi = at.angle - T(pi / 2);
    T power = at.grad_radius;
    for (int i = a0; i < param_count; ++i, power *= phi) grad[i] = power;
  }

  /// The factor of v in x stays 1: the polynomial is of pixels along x.
  template <class T>
  static void scale(CameraParams<T>& camera, T x_ratio, T y_ratio) {
    T* const p = camera.value;
    for (int i = a0; i < param_count; ++i) p[i] *= x_ratio;
    p[c] *= y_ratio / x_ratio;
    p[d] *= y_ratio / x_ratio;
    p[centre_row] *= y_ratio;
    p[centre_column] *= x_ratio;
  }

  template <class T>
  static void move(CameraParams<T>& camera, T x_px, T y_px) {
    camera.value[centre_column] += x_px;
    camera.value[centre_row] += y_px;
  }
};

}  // namespace ptl
