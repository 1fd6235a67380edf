// Pinhole with skew and OpenCV's distortion (8 radial and tangential parameters), forward, Jacobian, inverse and range.
//   u = X/Z, v = Y/Z, s = u² + v², g(s) = (1 + k1 s + k2 s² + k3 s³) / (1 + k4 s + k5 s² + k6 s³)
//   u' = u g + 2 p1 u v + p2 (s + 2u²),  v' = v g + p1 (s + 2v²) + 2 p2 u v
//   x = fx u' + skew v' + cx,  y = fy v' + cy
#pragma once

#include "kernels/camera_params.h"

namespace ptl {

struct PinholeModel {
  enum Param { fx, fy, cx, cy, skew, k1, k2, p1, p2, k3, k4, k5, k6, param_count };

  template <class T>
  PTL_HD static bool has_distortion(const CameraParams<T>& camera) {
    for (int i = k1; i < param_count; ++i)
      if (camera.value[i] != T(0)) return true;
    return false;
  }

  template <class T>
  struct Radial {
    T g, numerator, denominator, derivative;  ///< g(s), its parts, dg/ds
  };

  template <class T>
  PTL_HD static Radial<T> radial(const CameraParams<T>& camera, T s) {
    const T* a = camera.value;
    Radial<T> r;
    r.numerator = T(1) + s * (a[k1] + s * (a[k2] + s * a[k3]));
    r.denominator = T(1) + s * (a[k4] + s * (a[k5] + s * a[k6]));
    r.g = r.numerator / r.denominator;
    const T numerator_slope = a[k1] + s * (T(2) * a[k2] + T(3) * s * a[k3]);
    const T denominator_slope = a[k4] + s * (T(2) * a[k5] + T(3) * s * a[k6]);
    r.derivative = (numerator_slope - r.g * denominator_slope) / r.denominator;
    return r;
  }

  /// (u, v) → (u', v') and, where asked for, the 2×2 derivative: jacobian[row][column] = d(u', v')[row] / d(u, v)[column].
  template <class T>
  PTL_HD static Vec2<T> distort(const CameraParams<T>& camera, T u, T v, T (*jacobian)[2] = nullptr) {
    const T* a = camera.value;
    const T s = u * u + v * v;
    const Radial<T> r = radial(camera, s);
    if (jacobian) {
      const T slope = T(2) * r.derivative;
      const T mixed = u * v * slope + T(2) * (a[p1] * u + a[p2] * v);
      jacobian[0][0] = r.g + u * u * slope + T(2) * a[p1] * v + T(6) * a[p2] * u;
      jacobian[0][1] = mixed;
      jacobian[1][0] = mixed;
      jacobian[1][1] = r.g + v * v * slope + T(6) * a[p1] * v + T(2) * a[p2] * u;
    }
    return Vec2<T>(u * r.g + T(2) * a[p1] * u * v + a[p2] * (s + T(2) * u * u),
                   v * r.g + a[p1] * (s + T(2) * v * v) + T(2) * a[p2] * u * v);
  }

  template <class T>
  PTL_HD static Projection<T> project(const CameraParams<T>& camera, const Vec3<T>& x_camera) {
    Projection<T> result;
    result.depth_m = x_camera.z;
    if (!(x_camera.z > T(0))) return result;
    const T u = x_camera.x / x_camera.z, v = x_camera.y / x_camera.z;
    // Compared without the square of the radius: 1e30² is beyond a float.
    if (!(std::sqrt(u * u + v * v) <= camera.valid_radius)) return result;
    const Vec2<T> d = distort(camera, u, v);
    result.x_px = camera.value[fx] * d.x + camera.value[skew] * d.y + camera.value[cx];
    result.y_px = camera.value[fy] * d.y + camera.value[cy];
    result.valid = true;
    return result;
  }

  /// Only for points that project() calls valid.
  template <class T>
  PTL_HD static ProjectionJacobian<T> jacobian(const CameraParams<T>& camera, const Vec3<T>& x_camera) {
    const T* a = camera.value;
    const T inverse_z = T(1) / x_camera.z;
    const T u = x_camera.x * inverse_z, v = x_camera.y * inverse_z, s = u * u + v * v;
    T m[2][2];
    const Vec2<T> d = distort(camera, u, v, m);
    const Radial<T> r = radial(camera, s);
    ProjectionJacobian<T> j;
    const auto to_pixel = [&](T du, T dv, T& x, T& y) {
      x = a[fx] * du + a[skew] * dv;
      y = a[fy] * dv;
    };
    T x_u, x_v, y_u, y_v;
    to_pixel(m[0][0], m[1][0], x_u, y_u);
    to_pixel(m[0][1], m[1][1], x_v, y_v);
    j.point[0] = Vec3<T>(x_u, x_v, -(x_u * u + x_v * v)) * inverse_z;
    j.point[1] = Vec3<T>(y_u, y_v, -(y_u * u + y_v * v)) * inverse_z;
    j.params[0][fx] = d.x;
    j.params[1][fy] = d.y;
    j.params[0][cx] = T(1);
    j.params[1][cy] = T(1);
    j.params[0][skew] = d.y;
    const auto set = [&](int parameter, T du, T dv) {
      to_pixel(du, dv, j.params[0][parameter], j.params[1][parameter]);
    };
    const T up = s / r.denominator, down = -up * r.g;
    set(k1, u * up, v * up);
    set(k2, u * up * s, v * up * s);
    set(k3, u * up * s * s, v * up * s * s);
    set(k4, u * down, v * down);
    set(k5, u * down * s, v * down * s);
    set(k6, u * down * s * s, v * down * s * s);
    set(p1, T(2) * u * v, s + T(2) * v * v);
    set(p2, s + T(2) * u * u, T(2) * u * v);
    return j;
  }

  /// Pixel of the whole photo → direction in the camera frame with z = 1 (not normalised). False where no point within
  /// the valid radius projects there; the direction is then the nearest that the iteration found, and still finite.
  template <class T>
  PTL_HD static bool unproject(const CameraParams<T>& camera, T x_px, T y_px, Vec3<T>& ray) {
    const T* a = camera.value;
    const T v_target = (y_px - a[cy]) / a[fy];
    const T u_target = (x_px - a[cx] - a[skew] * v_target) / a[fx];
    ray = Vec3<T>(u_target, v_target, T(1));
    if (!has_distortion(camera)) return true;
    // Start: the radial part alone, inverted by bisection, since r·g(r²) increases up to the valid radius.
    const T target_radius = std::sqrt(u_target * u_target + v_target * v_target);
    if (!(target_radius > T(0))) ray = Vec3<T>(T(0), T(0), T(1));
    if (target_radius > T(0)) {
      T low = T(0), high = camera.valid_radius < T(1e3) ? camera.valid_radius : T(1e3);
      for (int i = 0; i < 24; ++i) {
        const T middle = (low + high) / T(2);
        (middle * radial(camera, middle * middle).g < target_radius ? low : high) = middle;
      }
      const T scale = (low + high) / T(2) / target_radius;
      ray.x *= scale;
      ray.y *= scale;
    }
    // Then Newton with both parts; a step that does not come closer is halved.
    const auto error_at = [&](T u, T v, T& du, T& dv, T (*m)[2]) {
      const Vec2<T> d = distort(camera, u, v, m);
      du = u_target - d.x;
      dv = v_target - d.y;
      return du * du + dv * dv;
    };
    T m[2][2], du, dv;
    T error = error_at(ray.x, ray.y, du, dv, m);
    for (int iteration = 0; iteration < 20 && error > T(0); ++iteration) {
      const T determinant = m[0][0] * m[1][1] - m[0][1] * m[1][0];
      if (!(determinant > T(1e-12))) break;
      T step_u = (m[1][1] * du - m[0][1] * dv) / determinant;
      T step_v = (m[0][0] * dv - m[1][0] * du) / determinant;
      bool closer = false;
      for (int halving = 0; halving < 8 && !closer; ++halving) {
        T new_m[2][2], new_du, new_dv;
        const T new_error = error_at(ray.x + step_u, ray.y + step_v, new_du, new_dv, new_m);
        closer = new_error < error;
        if (closer) {
          ray.x += step_u;
          ray.y += step_v;
          error = new_error;
          du = new_du;
          dv = new_dv;
          for (int i = 0; i < 4; ++i) m[i / 2][i % 2] = new_m[i / 2][i % 2];
        }
        step_u /= T(2);
        step_v /= T(2);
      }
      if (!closer) break;
    }
    const T tolerance = sizeof(T) == 8 ? T(1e-10) : T(1e-5);  // of the distorted image plane: far below a pixel
    return error <= tolerance * tolerance * (T(1) + target_radius * target_radius) &&
           std::sqrt(ray.x * ray.x + ray.y * ray.y) <= camera.valid_radius;
  }

  /// Pixels that a length of 1 covers at a depth of 1: for the footprint (method section 1). Without the crop's zoom.
  template <class T>
  PTL_HD static T focal_length_px(const CameraParams<T>& camera) {
    return std::sqrt(camera.value[fx] * camera.value[fy]);
  }

  /// The first decrease of r·g(r²) (or pole of g), searched out to 1.5 times the distorted radius of the farthest image
  /// corner: what lies beyond is outside of the image anyway. 1e30 without distortion (method section 1).
  template <class T>
  static T valid_radius(const CameraParams<T>& camera) {
    if (!has_distortion(camera)) return T(1e30);
    CameraParams<double> exact;
    for (int i = 0; i < camera_param_capacity; ++i) exact.value[i] = static_cast<double>(camera.value[i]);
    double corner_radius = 0;
    for (int corner = 0; corner < 4; ++corner) {
      const double y = ((corner & 2 ? camera.height_px : 0) - exact.value[cy]) / exact.value[fy];
      const double x = ((corner & 1 ? camera.width_px : 0) - exact.value[cx] - exact.value[skew] * y) / exact.value[fx];
      corner_radius = std::fmax(corner_radius, std::sqrt(x * x + y * y));
    }
    const auto increases = [&](double r) {
      const double s = r * r;
      const Radial<double> at = radial(exact, s);
      return at.denominator > 0 && at.g + 2 * s * at.derivative > 0;
    };
    // Steps of equal angle; the last is at 89.9°, where r = 573.
    constexpr int steps = 4096;
    constexpr double last_angle = 89.9 * 3.14159265358979323846 / 180;
    double below = 0;
    for (int i = 1; i <= steps; ++i) {
      const double r = std::tan(last_angle * i / steps);
      if (!increases(r)) {
        double above = r;
        for (int bisection = 0; bisection < 60; ++bisection) {
          const double middle = (below + above) / 2;
          (increases(middle) ? below : above) = middle;
        }
        return static_cast<T>(below);
      }
      below = r;
      if (r * radial(exact, r * r).g > 1.5 * corner_radius) return static_cast<T>(r);
    }
    return static_cast<T>(below);
  }
};

}  // namespace ptl
