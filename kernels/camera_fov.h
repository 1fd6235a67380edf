// The field-of-view model of Devernay and Faugeras: COLMAP's FOV. With m = 2 tan(ω/2):
//   ρ = atan2(m r, Z) / ω,  (u', v') = ρ · (X, Y)/r,  Z ≥ 0
// It is even in ω, which is taken as at least 1e-6: the pinhole, to all digits.
#pragma once

#include "kernels/camera_wide.h"

namespace ptl {

struct FovModel : WideModel<FovModel> {
  enum Param { fx, fy, cx, cy, skew, omega, param_count };

  template <class T>
  PTL_HD static T omega_of(const CameraParams<T>& camera) {
    const T w = std::fabs(camera.value[omega]);
    return w > T(1e-6) ? w : T(1e-6);
  }

  template <class T>
  PTL_HD static Bend<T> bend(const CameraParams<T>& camera, T, T r, T z, T distance) {
    const T w = omega_of(camera), m = T(2) * tan_half(w);
    return {arctan2(m * r, z) / w, m * distance * distance / (w * (m * m * r * r + z * z))};
  }

  static double last_angle(const CameraParams<double>&) { return pi / 2; }

  template <class T, int N>
  PTL_HD static void grad_lens(const CameraParams<T>& camera, const WidePoint<T>& at, const Vec2<T>& distorted,
                               T grad_x, T grad_y, T (&grad)[N]) {
    grad_affine(distorted, grad_x, grad_y, grad);
    const T w = omega_of(camera), m = T(2) * tan_half(w), r = at.r, z = at.z;
    const T dm = T(1) + T(0.25) * m * m;
    const T exact = (dm * r * z / (m * m * r * r + z * z) - arctan2(m * r, z) / w) / w;
    // Both terms are alike where ω r/Z is small: by its series ρ = u + ω² (u/12 − u³/3) + ω⁴ (u/120 − u³/12 + u⁵/5).
    const T u = r / (z > T(0) ? z : T(1)), s = u * u;
    const T first = T(1) / T(6) - T(2) / T(3) * s, third = T(1) / T(30) + s * (T(0.8) * s - T(1) / T(3));
    const T series = u * w * (first + w * w * third);
    const T slope = (z > T(0)) & (w * u < T(0.1)) & (w < T(0.1)) ? series : exact;
    grad[omega] = (camera.value[omega] < T(0) ? -slope : slope) * at.grad_radius;
  }
};

}  // namespace ptl
