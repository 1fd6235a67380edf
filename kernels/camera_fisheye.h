// Equidistant fisheye with radial, tangential and thin-prism distortion: COLMAP's THIN_PRISM_FISHEYE and its smaller
// kin, OpenCV's fisheye. With (a, b) = θ · (X, Y)/r (kernels/camera_wide.h) and q = a² + b²,
// g = 1 + k1 q + k2 q² + k3 q³ + k4 q⁴:
//   u' = a g + 2 p1 a b + p2 (q + 2a²) + sx1 q,  v' = b g + p1 (q + 2b²) + 2 p2 a b + sy1 q
#pragma once

#include "kernels/camera_wide.h"

namespace ptl {

struct FisheyeModel : WideModel<FisheyeModel> {
  enum Param { fx, fy, cx, cy, skew, k1, k2, p1, p2, k3, k4, sx1, sy1, param_count };

  template <class T>
  PTL_HD static Bend<T> bend(const CameraParams<T>&, T angle, T, T, T) {
    return {angle, T(1)};
  }

  template <class T>
  PTL_HD static Bend<T> profile(const CameraParams<T>& camera, T angle) {
    const T* const c = camera.value;
    const T q = angle * angle;
    return {angle * (T(1) + q * (c[k1] + q * (c[k2] + q * (c[k3] + q * c[k4])))),
            T(1) + q * (T(3) * c[k1] + q * (T(5) * c[k2] + q * (T(7) * c[k3] + q * T(9) * c[k4])))};
  }

  template <class T>
  PTL_HD static Vec2<T> distort(const CameraParams<T>& camera, T a, T b, T (*jacobian)[2] = nullptr) {
    const T* const c = camera.value;
    const T q = a * a + b * b;
    const T g = T(1) + q * (c[k1] + q * (c[k2] + q * (c[k3] + q * c[k4])));
    if (jacobian) {
      const T slope = T(2) * (c[k1] + q * (T(2) * c[k2] + q * (T(3) * c[k3] + q * T(4) * c[k4])));  // dg is this · (a, b)
      jacobian[0][0] = g + a * a * slope + T(2) * c[p1] * b + T(6) * c[p2] * a + T(2) * c[sx1] * a;
      jacobian[0][1] = a * b * slope + T(2) * c[p1] * a + T(2) * c[p2] * b + T(2) * c[sx1] * b;
      jacobian[1][0] = a * b * slope + T(2) * c[p1] * a + T(2) * c[p2] * b + T(2) * c[sy1] * a;
      jacobian[1][1] = g + b * b * slope + T(6) * c[p1] * b + T(2) * c[p2] * a + T(2) * c[sy1] * b;
    }
    return Vec2<T>(a * g + T(2) * c[p1] * a * b + c[p2] * (q + T(2) * a * a) + c[sx1] * q,
                   b * g + c[p1] * (q + T(2) * b * b) + T(2) * c[p2] * a * b + c[sy1] * q);
  }

  template <class T>
  PTL_HD static bool is_radial(const CameraParams<T>& camera) {
    return camera.value[p1] == T(0) && camera.value[p2] == T(0) && camera.value[sx1] == T(0) &&
           camera.value[sy1] == T(0);
  }

  static double off_radial(const CameraParams<double>& camera, double angle) {
    const double* const c = camera.value;
    return angle * angle * (3 * std::hypot(c[p1], c[p2]) + std::hypot(c[sx1], c[sy1]));
  }

  template <class T, int N>
  PTL_HD static void grad_lens(const CameraParams<T>&, const WidePoint<T>& at, const Vec2<T>& distorted, T grad_x,
                               T grad_y, T (&grad)[N]) {
    grad_affine(distorted, grad_x, grad_y, grad);
    const T a = at.plane.x, b = at.plane.y, q = a * a + b * b, du = at.grad_distorted.x, dv = at.grad_distorted.y;
    const T along = a * du + b * dv;
    grad[k1] = along * q;
    grad[k2] = along * q * q;
    grad[k3] = along * q * q * q;
    grad[k4] = along * q * q * q * q;
    grad[p1] = T(2) * a * b * du + (q + T(2) * b * b) * dv;
    grad[p2] = (q + T(2) * a * a) * du + T(2) * a * b * dv;
    grad[sx1] = q * du;
    grad[sy1] = q * dv;
  }
};

}  // namespace ptl
