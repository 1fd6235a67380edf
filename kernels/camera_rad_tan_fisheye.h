// Equidistant fisheye whose tangential and thin-prism parts follow the radial one: COLMAP's RAD_TAN_THIN_PRISM_FISHEYE,
// Project Aria's Fisheye624. With (a, b) = θ · (X, Y)/r (kernels/camera_wide.h), q = a² + b²:
//   (s, t) = (a, b) (1 + k0 q + k1 q² + … + k5 q⁶),  n = s² + t²,  w = 2 (p0 s + p1 t)
//   u' = s + w s + p0 n + s0 n + s1 n²,  v' = t + w t + p1 n + s2 n + s3 n²
#pragma once

#include "kernels/camera_wide.h"

namespace ptl {

struct RadTanThinPrismFisheyeModel : WideModel<RadTanThinPrismFisheyeModel> {
  enum Param { fx, fy, cx, cy, skew, k0, k1, k2, k3, k4, k5, p0, p1, s0, s1, s2, s3, param_count };

  template <class T>
  PTL_HD static Bend<T> bend(const CameraParams<T>&, T angle, T, T, T) {
    return {angle, T(1)};
  }

  /// The radial factor and its derivative with respect to q.
  template <class T>
  PTL_HD static Bend<T> radial(const CameraParams<T>& camera, T q) {
    const T* const k = camera.value + k0;
    return {T(1) + q * (k[0] + q * (k[1] + q * (k[2] + q * (k[3] + q * (k[4] + q * k[5]))))),
            k[0] + q * (T(2) * k[1] + q * (T(3) * k[2] + q * (T(4) * k[3] + q * (T(5) * k[4] + q * T(6) * k[5]))))};
  }

  template <class T>
  PTL_HD static Bend<T> profile(const CameraParams<T>& camera, T angle) {
    const T q = angle * angle;
    const Bend<T> g = radial(camera, q);
    return {angle * g.radius, g.radius + T(2) * q * g.slope};
  }

  template <class T>
  PTL_HD static Vec2<T> distort(const CameraParams<T>& camera, T a, T b, T (*jacobian)[2] = nullptr) {
    const T* const c = camera.value;
    const T q = a * a + b * b;
    const Bend<T> g = radial(camera, q);
    const T s = a * g.radius, t = b * g.radius, n = s * s + t * t, w = T(2) * (c[p0] * s + c[p1] * t);
    if (jacobian) {
      const T x = T(2) * (c[s0] + T(2) * c[s1] * n), y = T(2) * (c[s2] + T(2) * c[s3] * n);  // of the prism: · (s, t)
      const T us = T(1) + w + T(4) * c[p0] * s + x * s, ut = T(2) * (c[p1] * s + c[p0] * t) + x * t;
      const T vs = T(2) * (c[p0] * t + c[p1] * s) + y * s, vt = T(1) + w + T(4) * c[p1] * t + y * t;
      const T slope = T(2) * g.slope;
      const T sa = g.radius + a * a * slope, sb = a * b * slope, tb = g.radius + b * b * slope;
      jacobian[0][0] = us * sa + ut * sb;
      jacobian[0][1] = us * sb + ut * tb;
      jacobian[1][0] = vs * sa + vt * sb;
      jacobian[1][1] = vs * sb + vt * tb;
    }
    return Vec2<T>(s + w * s + n * (c[p0] + c[s0] + c[s1] * n), t + w * t + n * (c[p1] + c[s2] + c[s3] * n));
  }

  template <class T>
  PTL_HD static bool is_radial(const CameraParams<T>& camera) {
    for (int i = p0; i < param_count; ++i)
      if (camera.value[i] != T(0)) return false;
    return true;
  }

  static double off_radial(const CameraParams<double>& camera, double angle) {
    const double* const c = camera.value;
    const double radius = profile(camera, angle).radius, n = radius * radius;
    return n * (3 * std::hypot(c[p0], c[p1]) + std::hypot(c[s0], c[s2]) + n * std::hypot(c[s1], c[s3]));
  }

  template <class T, int N>
  PTL_HD static void grad_lens(const CameraParams<T>& camera, const WidePoint<T>& at, const Vec2<T>& distorted,
                               T grad_x, T grad_y, T (&grad)[N]) {
    grad_affine(distorted, grad_x, grad_y, grad);
    const T* const c = camera.value;
    const T a = at.plane.x, b = at.plane.y, q = a * a + b * b, du = at.grad_distorted.x, dv = at.grad_distorted.y;
    const T g = radial(camera, q).radius, s = a * g, t = b * g, n = s * s + t * t;
    const T w = T(2) * (c[p0] * s + c[p1] * t);
    const T x = T(2) * (c[s0] + T(2) * c[s1] * n), y = T(2) * (c[s2] + T(2) * c[s3] * n);
    const T ds = (T(1) + w + T(4) * c[p0] * s + x * s) * du + (T(2) * (c[p0] * t + c[p1] * s) + y * s) * dv;
    const T dt = (T(2) * (c[p1] * s + c[p0] * t) + x * t) * du + (T(1) + w + T(4) * c[p1] * t + y * t) * dv;
    T power = (a * ds + b * dt) * q;
    for (int i = k0; i <= k5; ++i, power *= q) grad[i] = power;
    grad[p0] = (T(2) * s * s + n) * du + T(2) * s * t * dv;
    grad[p1] = T(2) * s * t * du + (T(2) * t * t + n) * dv;
    grad[s0] = n * du;
    grad[s1] = n * n * du;
    grad[s2] = n * dv;
    grad[s3] = n * n * dv;
  }
};

}  // namespace ptl
