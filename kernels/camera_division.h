// The division model: COLMAP's SIMPLE_DIVISION and DIVISION. The ray of (u', v') is (u', v', 1 + k (u'² + v'²)), so that
//   ρ = 2 r / (Z + √(Z² − 4 k r²)),  (u', v') = ρ · (X, Y)/r
// k < 0 sees behind the camera; k > 0 up to tan θ = 1/(2 √k), where ρ = 1/√k.
#pragma once

#include "kernels/camera_wide.h"

namespace ptl {

struct DivisionModel : WideModel<DivisionModel> {
  enum Param { fx, fy, cx, cy, skew, k, param_count };

  /// √(Z² − 4 k r²)
  template <class T>
  PTL_HD static T root(const CameraParams<T>& camera, T r, T z) {
    const T square = z * z - T(4) * camera.value[k] * r * r;
    return std::sqrt(square > T(0) ? square : T(0));
  }

  template <class T>
  PTL_HD static Bend<T> bend(const CameraParams<T>& camera, T, T r, T z, T) {
    const T kappa = camera.value[k], q = root(camera, r, z);
    // Behind the camera Z and the root cancel; there the other form of the quadratic's solution.
    const bool behind = (z < T(0)) & (kappa * r < T(0));
    const T up = behind ? q - z : T(2) * r, down = behind ? T(-2) * kappa * r : z + q;
    const T radius = up / down;
    return {radius, (z * (T(1) + kappa * radius * radius) + r * radius) / q};
  }

  static double last_angle(const CameraParams<double>& camera) {
    const double kappa = camera.value[k];
    return kappa > 0 ? std::atan(0.5 / std::sqrt(kappa)) : kappa < 0 ? pi : pi / 2;
  }

  template <class T, int N>
  PTL_HD static void grad_lens(const CameraParams<T>& camera, const WidePoint<T>& at, const Vec2<T>& distorted,
                               T grad_x, T grad_y, T (&grad)[N]) {
    grad_affine(distorted, grad_x, grad_y, grad);
    // Of r (1 + k ρ²) = ρ Z by k.
    const T radius_square = at.plane.x * at.plane.x + at.plane.y * at.plane.y;
    grad[k] = at.r * radius_square / root(camera, at.r, at.z) * at.grad_radius;
  }
};

}  // namespace ptl
