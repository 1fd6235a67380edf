// The enhanced unified camera model of Khomutenko, Garcia and Martinet: COLMAP's EUCM. With e = √(β r² + Z²):
//   ρ = r / (α e + (1 − α) Z),  (u', v') = ρ · (X, Y)/r
// It increases while (1 − α) + α Z/e > 0 and α e + (1 − α) Z > 0.
#pragma once

#include "kernels/camera_wide.h"

namespace ptl {

struct EucmModel : WideModel<EucmModel> {
  enum Param { fx, fy, cx, cy, skew, alpha, beta, param_count };

  template <class T>
  PTL_HD static Bend<T> bend(const CameraParams<T>& camera, T, T r, T z, T distance) {
    const T a = camera.value[alpha], e = std::sqrt(camera.value[beta] * r * r + z * z);
    const T denominator = a * e + (T(1) - a) * z;
    const T slope = ((T(1) - a) + a * z / e) * (distance * distance) / (denominator * denominator);
    return {r / denominator, denominator > T(0) ? slope : T(-1)};  // beyond the pole: no increase
  }

  template <class T, int N>
  PTL_HD static void grad_lens(const CameraParams<T>& camera, const WidePoint<T>& at, const Vec2<T>& distorted,
                               T grad_x, T grad_y, T (&grad)[N]) {
    grad_affine(distorted, grad_x, grad_y, grad);
    const T a = camera.value[alpha], e = std::sqrt(camera.value[beta] * at.r * at.r + at.z * at.z);
    const T denominator = a * e + (T(1) - a) * at.z;
    const T by_denominator = -at.r / (denominator * denominator) * at.grad_radius;
    grad[alpha] = (e - at.z) * by_denominator;
    grad[beta] = a * at.r * at.r / (T(2) * e) * by_denominator;
  }
};

}  // namespace ptl
