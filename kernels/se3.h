// Rigid transforms and their tangent space. Poses are camera_from_world: x_camera = rotation * x_world + translation.
// Camera frame: x right, y down, z forward (COLMAP, OpenCV).
#pragma once

#include <array>
#include <cmath>
#include <glm/glm.hpp>

#include "kernels/hd.h"

namespace ptl {

template <class T>
using Vec2 = glm::vec<2, T, glm::defaultp>;
template <class T>
using Vec3 = glm::vec<3, T, glm::defaultp>;
template <class T>
using Mat3 = glm::mat<3, 3, T, glm::defaultp>;  // column-major: m[column][row]

template <class T>
struct Pose {
  Mat3<T> rotation{T(1)};
  Vec3<T> translation{T(0)};

  PTL_HD Vec3<T> operator*(const Vec3<T>& x) const { return rotation * x + translation; }
  PTL_HD Pose operator*(const Pose& other) const {
    return {rotation * other.rotation, rotation * other.translation + translation};
  }
  bool operator==(const Pose&) const = default;  ///< to the bit
};

template <class T>
PTL_HD Pose<T> inverse(const Pose<T>& pose) {
  const Mat3<T> transposed = glm::transpose(pose.rotation);
  return {transposed, -(transposed * pose.translation)};
}

/// World position of the projection's centre.
template <class T>
PTL_HD Vec3<T> camera_centre(const Pose<T>& camera_from_world) {
  return -(glm::transpose(camera_from_world.rotation) * camera_from_world.translation);
}

template <class T, class S>
PTL_HD Pose<T> pose_cast(const Pose<S>& pose) {
  return {Mat3<T>(pose.rotation), Vec3<T>(pose.translation)};
}

/// A 6-vector ξ of the tangent space, in the order of method section 8: translation, then rotation (axis · radians).
/// Poses are updated from the left: pose ← exp(ξ) · pose.
template <class T>
struct Tangent {
  Vec3<T> translation{T(0)};
  Vec3<T> rotation{T(0)};
};

/// The matrix [v]× with [v]× w = v × w.
template <class T>
PTL_HD Mat3<T> cross_matrix(const Vec3<T>& v) {
  return Mat3<T>(Vec3<T>(T(0), v.z, -v.y), Vec3<T>(-v.z, T(0), v.x), Vec3<T>(v.y, -v.x, T(0)));
}

/// The exponential map of SE(3). Near zero the coefficients come from their series, so that no digit is lost.
template <class T>
PTL_HD Pose<T> exp(const Tangent<T>& xi) {
  const T angle_squared = glm::dot(xi.rotation, xi.rotation);
  const T angle = std::sqrt(angle_squared);
  T a, b, c;  // sin θ/θ, (1 − cos θ)/θ², (θ − sin θ)/θ³
  if (angle_squared < T(1e-2)) {
    const T s = angle_squared;
    a = T(1) - s / T(6) * (T(1) - s / T(20) * (T(1) - s / T(42) * (T(1) - s / T(72))));
    b = T(0.5) * (T(1) - s / T(12) * (T(1) - s / T(30) * (T(1) - s / T(56) * (T(1) - s / T(90)))));
    c = (T(1) - s / T(20) * (T(1) - s / T(42) * (T(1) - s / T(72) * (T(1) - s / T(110))))) / T(6);
  } else {
    const T half_sine = std::sin(angle / T(2));
    a = std::sin(angle) / angle;
    b = T(2) * half_sine * half_sine / angle_squared;
    c = (T(1) - a) / angle_squared;
  }
  const Mat3<T> k = cross_matrix(xi.rotation);
  const Mat3<T> kk = k * k;
  const Mat3<T> identity{T(1)};
  return {identity + a * k + b * kk, (identity + b * k + c * kk) * xi.translation};
}

/// Gradient with respect to ξ at 0 of a loss whose gradient with respect to x_camera = exp(ξ) · pose · x_world is
/// given:
/// the transpose of the Jacobian [ I | −[x_camera]× ].
template <class T>
PTL_HD Tangent<T> tangent_gradient(const Vec3<T>& x_camera, const Vec3<T>& grad_x_camera) {
  return {grad_x_camera, glm::cross(x_camera, grad_x_camera)};
}

/// The Jacobian [ I | −[x_camera]× ] itself: jacobian[row of x_camera][component of ξ].
template <class T>
PTL_HD void tangent_jacobian(const Vec3<T>& x_camera, T (&jacobian)[3][6]) {
  const Mat3<T> k = cross_matrix(x_camera);
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 3; ++column) {
      jacobian[row][column] = row == column ? T(1) : T(0);
      jacobian[row][3 + column] = -k[column][row];
    }
}

/// v with [v]× = (m − mᵀ)/2: for a rotation its axis times the sine of its angle; for a small one its tangent.
template <class T>
Vec3<T> skew_part(const Mat3<T>& m) {
  return T(0.5) * Vec3<T>(m[1].z - m[2].y, m[2].x - m[0].z, m[0].y - m[1].x);
}

/// Angle of a rotation in radians, small ones without loss.
template <class T>
T rotation_angle(const Mat3<T>& m) {
  return std::atan2(glm::length(skew_part(m)), (m[0].x + m[1].y + m[2].z - T(1)) / T(2));
}

/// Rotation of a quaternion (w, x, y, z), COLMAP's order; normalised here. Must not be zero.
template <class T>
Mat3<T> rotation_from_quaternion(std::array<T, 4> q) {
  const T length = std::sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
  const T w = q[0] / length, x = q[1] / length, y = q[2] / length, z = q[3] / length;
  return Mat3<T>(Vec3<T>(1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)),
                 Vec3<T>(2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)),
                 Vec3<T>(2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)));
}

/// The unit quaternion (w, x, y, z) with w ≥ 0 of a rotation. The largest component is computed first, so that
/// nothing is
/// divided by a small number.
template <class T>
std::array<T, 4> quaternion_from_rotation(const Mat3<T>& m) {
  const auto r = [&](int row, int column) { return m[column][row]; };
  const T squares[4] = {1 + r(0, 0) + r(1, 1) + r(2, 2), 1 + r(0, 0) - r(1, 1) - r(2, 2),
                        1 - r(0, 0) + r(1, 1) - r(2, 2), 1 - r(0, 0) - r(1, 1) + r(2, 2)};
  int largest = 0;
  for (int i = 1; i < 4; ++i)
    if (squares[i] > squares[largest]) largest = i;
  const T wx = r(2, 1) - r(1, 2), wy = r(0, 2) - r(2, 0), wz = r(1, 0) - r(0, 1);
  const T xy = r(0, 1) + r(1, 0), xz = r(0, 2) + r(2, 0), yz = r(1, 2) + r(2, 1);
  const T s = squares[largest];
  const std::array<T, 4> rows[4] = {{s, wx, wy, wz}, {wx, s, xy, xz}, {wy, xy, s, yz}, {wz, xz, yz, s}};
  const T scale = (rows[largest][0] < 0 ? T(-1) : T(1)) / (2 * std::sqrt(s));
  std::array<T, 4> q = rows[largest];
  for (T& component : q) component *= scale;
  return q;
}

}  // namespace ptl
