// Pinhole with skew and OpenCV's distortion (8 radial and tangential parameters), forward, Jacobian, inverse and range.
//   u = X/Z, v = Y/Z, s = u² + v², g(s) = (1 + k1 s + k2 s² + k3 s³) / (1 + k4 s + k5 s² + k6 s³)
//   u' = u g + 2 p1 u v + p2 (s + 2u²),  v' = v g + p1 (s + 2v²) + 2 p2 u v
//   x = fx u' + skew v' + cx,  y = fy v' + cy
#pragma once

#include "kernels/camera_params.h"
#include "kernels/se3.h"

namespace ptl {

struct PinholeModel {
  enum Param { fx, fy, cx, cy, skew, k1, k2, p1, p2, k3, k4, k5, k6, param_count };
  static constexpr bool is_pinhole = true;  ///< depth is z, and planes through its centre bound a crop
  static constexpr bool wraps_x = false;    ///< the photo's right border is beside its left one

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

  /// (u, v) → (u', v') and, where asked for, the 2×2 derivative: jacobian[row][column] = d(u', v')[row] / d(u,
  /// v)[column].
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
    // Without branches, so that a loop over points becomes vector code.
    const T u = x_camera.x / x_camera.z, v = x_camera.y / x_camera.z;
    const Vec2<T> d = distort(camera, u, v);
    // Compared without the square of the radius: 1e30² is beyond a float.
    return {camera.value[fx] * d.x + camera.value[skew] * d.y + camera.value[cx],
            camera.value[fy] * d.y + camera.value[cy], x_camera.z,
            static_cast<bool>((x_camera.z > T(0)) & (std::sqrt(u * u + v * v) <= camera.valid_radius))};
  }

  /// A bound from below of project()'s depth over the box [low, high] of world coordinates.
  PTL_HD static float least_depth_m(const Pose<float>& camera_from_world, const float* low, const float* high) {
    float depth = camera_from_world.translation.z, size = std::fabs(depth);
    for (int axis = 0; axis < 3; ++axis) {
      const float row = camera_from_world.rotation[axis].z;
      depth += row * (row > 0.0f ? low[axis] : high[axis]);
      size += std::fmax(std::fabs(low[axis]), std::fabs(high[axis]));
    }
    return depth - 8e-7f * size;  // what project() may round away where coordinates are large against depths
  }

  /// The transpose of the Jacobian: from the gradient at the pixel (grad_x, grad_y) to that at the point in the camera frame
  /// and at the parameters. Only for points that project() calls valid. Plain numbers, so that a loop becomes vector code.
  template <class T>
  PTL_HD static void pull_back(const CameraParams<T>& camera, T x, T y, T z, T grad_x, T grad_y, T (&grad_point)[3],
                               T (&grad_params)[param_count]) {
    const T* a = camera.value;
    const T inverse_z = T(1) / z, u = x * inverse_z, v = y * inverse_z, s = u * u + v * v;
    T m[2][2];
    const Vec2<T> d = distort(camera, u, v, m);
    const Radial<T> r = radial(camera, s);
    const T grad_du = a[fx] * grad_x, grad_dv = a[skew] * grad_x + a[fy] * grad_y;  // at the distorted (u', v')
    const T grad_u = m[0][0] * grad_du + m[1][0] * grad_dv, grad_v = m[0][1] * grad_du + m[1][1] * grad_dv;
    grad_point[0] = grad_u * inverse_z;
    grad_point[1] = grad_v * inverse_z;
    grad_point[2] = -(grad_u * u + grad_v * v) * inverse_z;
    grad_params[fx] = d.x * grad_x;
    grad_params[fy] = d.y * grad_y;
    grad_params[cx] = grad_x;
    grad_params[cy] = grad_y;
    grad_params[skew] = d.y * grad_x;
    const T along = u * grad_du + v * grad_dv, up = along * s / r.denominator, down = -up * r.g;
    grad_params[k1] = up;
    grad_params[k2] = up * s;
    grad_params[k3] = up * s * s;
    grad_params[k4] = down;
    grad_params[k5] = down * s;
    grad_params[k6] = down * s * s;
    grad_params[p1] = T(2) * u * v * grad_du + (s + T(2) * v * v) * grad_dv;
    grad_params[p2] = (s + T(2) * u * u) * grad_du + T(2) * u * v * grad_dv;
  }

  /// Pixel of the whole photo → direction in the camera frame with z = 1 (not normalised). False where no point within
  /// the valid radius projects there; the direction is then the one of the valid radius' rim, or near it.
  template <class T>
  PTL_HD static bool unproject(const CameraParams<T>& camera, T x_px, T y_px, Vec3<T>& ray) {
    const T* a = camera.value;
    const T v_target = (y_px - a[cy]) / a[fy];
    const T u_target = (x_px - a[cx] - a[skew] * v_target) / a[fx];
    ray = Vec3<T>(u_target, v_target, T(1));
    if (!has_distortion(camera)) return true;
    const Vec2<T> target(u_target, v_target);
    const T target_radius = std::sqrt(u_target * u_target + v_target * v_target);
    if (newton(camera, target, target_radius, ray)) return true;
    // Rare: start from the radial part alone, inverted by bisection, since r·g(r²) increases up to the valid radius.
    T low = T(0), high = camera.valid_radius < T(1e3) ? camera.valid_radius : T(1e3);
    for (int i = 0; i < 40; ++i) {
      const T middle = (low + high) / T(2);
      (middle * radial(camera, middle * middle).g < target_radius ? low : high) = middle;
    }
    const T scale = target_radius > T(0) ? low / target_radius : T(0);
    const Vec3<T> start(u_target * scale, v_target * scale, T(1));
    ray = start;
    if (newton(camera, target, target_radius, ray)) return true;
    ray = start;
    return false;
  }

  /// Newton on distort(u, v) = target from ray's (u, v); a step that does not come closer is halved. True when it
  /// arrives
  /// within the valid radius.
  template <class T>
  PTL_HD static bool newton(const CameraParams<T>& camera, const Vec2<T>& target, T target_radius, Vec3<T>& ray) {
    const T scale = T(1) + target_radius * target_radius;
    const T enough = (sizeof(T) == 8 ? T(1e-28) : T(1e-14)) * scale;     // squared; in the distorted image plane
    const T acceptable = (sizeof(T) == 8 ? T(1e-22) : T(1e-11)) * scale; // where rounding stops the iteration
    T m[2][2];
    Vec2<T> difference = target - distort(camera, ray.x, ray.y, m);
    T error = glm::dot(difference, difference);
    for (int iteration = 0; iteration < 20 && error > enough; ++iteration) {
      const T determinant = m[0][0] * m[1][1] - m[0][1] * m[1][0];
      if (!(determinant > T(1e-12))) break;
      Vec2<T> step((m[1][1] * difference.x - m[0][1] * difference.y) / determinant,
                   (m[0][0] * difference.y - m[1][0] * difference.x) / determinant);
      bool closer = false;
      for (int halving = 0; halving < 8 && !closer; ++halving, step *= T(0.5)) {
        T new_m[2][2];
        const Vec2<T> next = target - distort(camera, ray.x + step.x, ray.y + step.y, new_m);
        const T new_error = glm::dot(next, next);
        closer = new_error < error;
        if (!closer) continue;
        ray.x += step.x;
        ray.y += step.y;
        error = new_error;
        difference = next;
        for (int i = 0; i < 4; ++i) m[i / 2][i % 2] = new_m[i / 2][i % 2];
      }
      if (!closer) break;
    }
    return error <= acceptable && std::sqrt(ray.x * ray.x + ray.y * ray.y) <= camera.valid_radius;
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

  /// The same lens before photos of another size.
  template <class T>
  static void scale(CameraParams<T>& camera, T x_ratio, T y_ratio) {
    for (const int x : {fx, cx, skew}) camera.value[x] *= x_ratio;
    for (const int y : {fy, cy}) camera.value[y] *= y_ratio;
  }

  /// The image moves within the photo's frame.
  template <class T>
  static void move(CameraParams<T>& camera, T x_px, T y_px) {
    camera.value[cx] += x_px;
    camera.value[cy] += y_px;
  }
};

}  // namespace ptl
