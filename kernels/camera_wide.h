// What camera models that can see more than half of the sphere have in common. With r = √(X² + Y²), the distance
// d = √(r² + Z²), which is their depth, and the angle θ = atan2(r, Z) from the axis:
//   (a, b) = ρ(θ) · (X, Y)/r       the model's `bend`; ρ(θ) = θ for equidistant lenses
//   (u', v') = distort(a, b)       the plane's distortion; often none
//   (x, y) = an affine map of (u', v'): fx u' + skew v' + cx, fy v' + cy unless the model has one of its own
// A model is a struct that derives from WideModel of itself and says `bend`, and what else differs from the defaults:
// see below. Its derivatives, its inverse (along the ray, then Newton in the plane) and its range stand here.
#pragma once

#include "kernels/arctan.h"
#include "kernels/camera_params.h"
#include "kernels/se3.h"

namespace ptl {

/// A radial function and its derivative with respect to the angle.
template <class T>
struct Bend {
  T radius, slope;
};

/// Where a point is seen, as a model's `grad_lens` needs it.
template <class T>
struct WidePoint {
  T angle, r, z, distance;  ///< θ, √(X² + Y²), Z, d
  Vec2<T> plane;            ///< (a, b)
  Vec2<T> grad_distorted;   ///< the gradient at (u', v')
  T grad_radius;            ///< the gradient at ρ
};

/// A bound from below of the distance between the camera and the box [low, high] of world coordinates.
PTL_HD inline float least_distance_m(const Pose<float>& camera_from_world, const float* low, const float* high) {
  float squares = 0.0f, size = 0.0f;
  for (int axis = 0; axis < 3; ++axis) {
    const float centre = -glm::dot(camera_from_world.rotation[axis], camera_from_world.translation);
    const float outside = std::fmax(std::fmax(low[axis] - centre, centre - high[axis]), 0.0f);
    squares += outside * outside;
    size += std::fabs(centre) + std::fmax(std::fabs(low[axis]), std::fabs(high[axis]));
  }
  return std::sqrt(squares) * (1.0f - 2e-6f) - 2e-6f * size;  // what project() may round away
}

template <class Model>
struct WideModel {
  static constexpr bool is_pinhole = false;
  static constexpr bool wraps_x = false;
  static constexpr double pi = 3.14159265358979323846;
  enum PlaneParam { plane_fx, plane_fy, plane_cx, plane_cy, plane_skew, plane_count };

  // What a model may replace.

  /// The radial function of the whole lens: ρ, then the radial part of the plane's distortion.
  template <class T>
  PTL_HD static Bend<T> profile(const CameraParams<T>& camera, T angle) {
    return Model::bend(camera, angle, T(std::sin(angle)), T(std::cos(angle)), T(1));
  }
  /// (a, b) → (u', v') and, where asked for, jacobian[row][column] = d(u', v')[row] / d(a, b)[column].
  template <class T>
  PTL_HD static Vec2<T> distort(const CameraParams<T>&, T a, T b, T (*jacobian)[2] = nullptr) {
    if (jacobian) {
      jacobian[0][0] = jacobian[1][1] = T(1);
      jacobian[0][1] = jacobian[1][0] = T(0);
    }
    return Vec2<T>(a, b);
  }
  /// Whether distort() is more than its radial part. Then (a, b) must be equidistant: ρ(θ) = θ.
  template <class T>
  PTL_HD static bool is_radial(const CameraParams<T>&) {
    return true;
  }
  /// A bound of how far distort() differs from its radial part at any angle up to this one.
  static double off_radial(const CameraParams<double>&, double) { return 0; }
  template <class T>
  PTL_HD static Vec2<T> pixel_of_plane(const CameraParams<T>& camera, const Vec2<T>& plane) {
    const T* const p = camera.value;
    return Vec2<T>(p[plane_fx] * plane.x + p[plane_skew] * plane.y + p[plane_cx], p[plane_fy] * plane.y + p[plane_cy]);
  }
  template <class T>
  PTL_HD static Vec2<T> plane_of_pixel(const CameraParams<T>& camera, T x_px, T y_px) {
    const T* const p = camera.value;
    const T v = (y_px - p[plane_cy]) / p[plane_fy];
    return Vec2<T>((x_px - p[plane_cx] - p[plane_skew] * v) / p[plane_fx], v);
  }
  /// The gradient at (u', v') from that at the pixel.
  template <class T>
  PTL_HD static Vec2<T> grad_plane(const CameraParams<T>& camera, T grad_x, T grad_y) {
    const T* const p = camera.value;
    return Vec2<T>(p[plane_fx] * grad_x, p[plane_skew] * grad_x + p[plane_fy] * grad_y);
  }
  /// The gradients at the parameters of the affine map.
  template <class T, int N>
  PTL_HD static void grad_affine(const Vec2<T>& distorted, T grad_x, T grad_y, T (&grad_params)[N]) {
    grad_params[plane_fx] = distorted.x * grad_x;
    grad_params[plane_fy] = distorted.y * grad_y;
    grad_params[plane_cx] = grad_x;
    grad_params[plane_cy] = grad_y;
    grad_params[plane_skew] = distorted.y * grad_x;
  }
  /// How much an affine map enlarges, both ways together.
  template <class T>
  PTL_HD static T plane_scale(const CameraParams<T>& camera) {
    return std::sqrt(camera.value[plane_fx] * camera.value[plane_fy]);
  }
  /// Beyond this angle the formula says nothing.
  static double last_angle(const CameraParams<double>&) { return pi; }
  /// The same lens before photos of another size.
  template <class T>
  static void scale(CameraParams<T>& camera, T x_ratio, T y_ratio) {
    for (const int x : {plane_fx, plane_cx, plane_skew}) camera.value[x] *= x_ratio;
    for (const int y : {plane_fy, plane_cy}) camera.value[y] *= y_ratio;
  }
  /// The image moves within the photo's frame.
  template <class T>
  static void move(CameraParams<T>& camera, T x_px, T y_px) {
    camera.value[plane_cx] += x_px;
    camera.value[plane_cy] += y_px;
  }

  // What all have.

  template <class T>
  PTL_HD static Projection<T> project(const CameraParams<T>& camera, const Vec3<T>& x_camera) {
    // Without branches, so that a loop over points becomes vector code.
    const T x = x_camera.x, y = x_camera.y, z = x_camera.z;
    const T square = x * x + y * y, r = std::sqrt(square), distance = std::sqrt(square + z * z);
    const T angle = arctan2(r, z);
    const T scale = Model::bend(camera, angle, r, z, distance).radius / (r > T(0) ? r : T(1));
    const Vec2<T> pixel = Model::pixel_of_plane(camera, Model::distort(camera, x * scale, y * scale));
    // Straight backwards no direction is the point's.
    return {pixel.x, pixel.y, distance,
            static_cast<bool>((angle <= camera.valid_radius) & ((r > T(0)) | (z > T(0))))};
  }

  /// A bound from below of project()'s depth over the box [low, high] of world coordinates.
  PTL_HD static float least_depth_m(const Pose<float>& camera_from_world, const float* low, const float* high) {
    return least_distance_m(camera_from_world, low, high);
  }

  /// The transpose of the Jacobian: from the gradient at the pixel (grad_x, grad_y) to that at the point in the camera frame
  /// and at the parameters. Only for points that project() calls valid. Plain numbers, so that a loop becomes vector code.
  template <class T, int N>
  PTL_HD static void pull_back(const CameraParams<T>& camera, T x, T y, T z, T grad_x, T grad_y, T (&grad_point)[3],
                               T (&grad_params)[N]) {
    static_assert(N == param_slots<Model>);
    const T square = x * x + y * y, r = std::sqrt(square), distance = std::sqrt(square + z * z);
    WidePoint<T> at;
    at.angle = arctan2(r, z);
    at.r = r;
    at.z = z;
    at.distance = distance;
    const Bend<T> bent = Model::bend(camera, at.angle, r, z, distance);
    // ρ/r, near the axis by its limit; straight backwards, where it has none, it is held.
    const bool central = (r < T(1e-3) * distance) & (z > T(0));
    const T least = T(1e-4) * distance, reach = r > least ? r : least;
    const T scale = central ? bent.slope / distance : bent.radius / reach;
    const T exact_scale = bent.radius / (r > T(0) ? r : T(1));
    at.plane = Vec2<T>(x * exact_scale, y * exact_scale);
    T m[2][2];
    const Vec2<T> distorted = Model::distort(camera, at.plane.x, at.plane.y, m);
    at.grad_distorted = Model::grad_plane(camera, grad_x, grad_y);
    const T grad_a = m[0][0] * at.grad_distorted.x + m[1][0] * at.grad_distorted.y;
    const T grad_b = m[0][1] * at.grad_distorted.x + m[1][1] * at.grad_distorted.y;
    const T along_x = x / reach, along_y = y / reach;
    const T along = along_x * grad_a + along_y * grad_b;
    at.grad_radius = along;
    const T turn = bent.slope / (distance * distance);  // dρ is this times (Z dr − r dZ)
    const T outward = (turn * z - scale) * along;
    grad_point[0] = scale * grad_a + outward * along_x;
    grad_point[1] = scale * grad_b + outward * along_y;
    grad_point[2] = -turn * r * along;
    Model::grad_lens(camera, at, distorted, grad_x, grad_y, grad_params);
  }

  /// Pixel of the whole photo → direction in the camera frame, of length 1. False where no point within the valid angle
  /// projects there; the direction is then the one of the valid angle's rim, or near it.
  template <class T>
  PTL_HD static bool unproject(const CameraParams<T>& camera, T x_px, T y_px, Vec3<T>& ray) {
    const Vec2<T> target = Model::plane_of_pixel(camera, x_px, y_px);
    const T radius = std::sqrt(target.x * target.x + target.y * target.y);
    bool reached = false;
    const T angle = angle_of_radius(camera, radius, reached);
    const Vec2<T> direction = radius > T(0) ? target * (T(1) / radius) : Vec2<T>(T(0));
    ray = ray_of(direction, angle);
    if (Model::is_radial(camera)) return reached;
    Vec2<T> plane = direction * angle;
    if (!newton(camera, target, radius, plane)) return false;
    const T length = std::sqrt(plane.x * plane.x + plane.y * plane.y);
    ray = ray_of(length > T(0) ? plane * (T(1) / length) : Vec2<T>(T(0)), length);
    return true;
  }

  template <class T>
  PTL_HD static Vec3<T> ray_of(const Vec2<T>& direction, T angle) {
    const T sine = std::sin(angle);
    return Vec3<T>(direction.x * sine, direction.y * sine, T(std::cos(angle)));
  }

  /// The largest angle that has a pixel.
  template <class T>
  PTL_HD static T rim(const CameraParams<T>& camera) {
    return camera.valid_radius < T(pi) ? camera.valid_radius : T(pi);
  }

  /// The profile's inverse: Newton, and where that leaves the bracket or is slow, bisection; the profile increases up to
  /// the rim. `reached`: some angle has this radius.
  template <class T>
  PTL_HD static T angle_of_radius(const CameraParams<T>& camera, T radius, bool& reached) {
    constexpr T rounding = sizeof(T) == 8 ? T(1e-15) : T(4e-7);
    T low = T(0), high = rim(camera);
    const T farthest = Model::profile(camera, high).radius, slack = T(4) * rounding * (T(1) + radius);
    reached = radius <= farthest + slack;
    if (!(radius < farthest)) return high;
    T angle = radius < high ? radius : T(0.5) * high;  // right for an equidistant lens in its own units
    for (int i = 0; i < 60; ++i) {
      const Bend<T> at = Model::profile(camera, angle);
      const T error = at.radius - radius;
      if (std::fabs(error) <= rounding * radius) break;
      (error < T(0) ? low : high) = angle;
      const T next = angle - error / at.slope;
      const bool inside = (next > low) & (next < high);
      const T chosen = inside & (i < 30) ? next : T(0.5) * (low + high);
      if (chosen == angle) break;
      angle = chosen;
    }
    return angle;
  }

  /// Newton on distort(a, b) = target; a step that does not come closer is halved. True when it arrives within the rim.
  template <class T>
  PTL_HD static bool newton(const CameraParams<T>& camera, const Vec2<T>& target, T target_radius, Vec2<T>& plane) {
    const T scale = T(1) + target_radius * target_radius;
    const T enough = (sizeof(T) == 8 ? T(1e-28) : T(1e-14)) * scale;      // squared; in the plane
    const T acceptable = (sizeof(T) == 8 ? T(1e-22) : T(1e-11)) * scale;  // where rounding stops the iteration
    T m[2][2];
    Vec2<T> difference = target - Model::distort(camera, plane.x, plane.y, m);
    T error = glm::dot(difference, difference);
    for (int iteration = 0; iteration < 20 && error > enough; ++iteration) {
      const T determinant = m[0][0] * m[1][1] - m[0][1] * m[1][0];
      if (!(determinant > T(1e-12))) break;
      Vec2<T> step((m[1][1] * difference.x - m[0][1] * difference.y) / determinant,
                   (m[0][0] * difference.y - m[1][0] * difference.x) / determinant);
      bool closer = false;
      for (int halving = 0; halving < 8 && !closer; ++halving, step *= T(0.5)) {
        T new_m[2][2];
        const Vec2<T> next = target - Model::distort(camera, plane.x + step.x, plane.y + step.y, new_m);
        const T new_error = glm::dot(next, next);
        closer = new_error < error;
        if (!closer) continue;
        plane += step;
        error = new_error;
        difference = next;
        for (int i = 0; i < 4; ++i) m[i / 2][i % 2] = new_m[i / 2][i % 2];
      }
      if (!closer) break;
    }
    return error <= acceptable && std::sqrt(plane.x * plane.x + plane.y * plane.y) <= rim(camera);
  }

  /// Pixels that a length of 1 covers at a distance of 1 on the axis: for the footprint (method section 1). Without the
  /// crop's zoom.
  template <class T>
  PTL_HD static T focal_length_px(const CameraParams<T>& camera) {
    return Model::plane_scale(camera) * std::fabs(Model::bend(camera, T(0), T(0), T(1), T(1)).slope);
  }

  /// The angle of the first decrease of the profile, searched out to 1.5 times the radius of the farthest image corner:
  /// what lies beyond is outside of the image anyway. At most last_angle().
  template <class T>
  static T valid_radius(const CameraParams<T>& camera) {
    CameraParams<double> exact;
    exact.width_px = camera.width_px;
    exact.height_px = camera.height_px;
    for (int i = 0; i < camera_param_capacity; ++i) exact.value[i] = static_cast<double>(camera.value[i]);
    double corner_radius = 0;
    for (int corner = 0; corner < 4; ++corner) {
      const Vec2<double> plane = Model::plane_of_pixel(exact, corner & 1 ? double(camera.width_px) : 0.0,
                                                       corner & 2 ? double(camera.height_px) : 0.0);
      corner_radius = std::fmax(corner_radius, std::sqrt(plane.x * plane.x + plane.y * plane.y));
    }
    constexpr int steps = 4096;
    const double last = Model::last_angle(exact);
    double below = 0;
    for (int i = 1; i <= steps; ++i) {
      const double angle = last * i / steps;
      const Bend<double> at = Model::profile(exact, angle);
      if (!(at.slope > 0)) {
        double above = angle;
        for (int bisection = 0; bisection < 60; ++bisection) {
          const double middle = (below + above) / 2;
          (Model::profile(exact, middle).slope > 0 ? below : above) = middle;
        }
        return static_cast<T>(below);
      }
      below = angle;
      if (at.radius > 1.5 * corner_radius) break;
    }
    return static_cast<T>(below);
  }
};

}  // namespace ptl
