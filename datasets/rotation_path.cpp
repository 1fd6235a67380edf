#include "datasets/rotation_path.h"

#include <cmath>

namespace ptl {

namespace {

Quaternion conjugate(const Quaternion& q) {
  return {q[0], -q[1], -q[2], -q[3]};
}

}  // namespace

Quaternion quaternion_product(const Quaternion& a, const Quaternion& b) {
  return {a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3], a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
          a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1], a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0]};
}

Vec3<double> rotation_to(const Quaternion& a, const Quaternion& b) {
  Quaternion q = quaternion_product(conjugate(a), b);
  if (q[0] < 0)
    for (double& component : q) component = -component;
  const Vec3<double> v(q[1], q[2], q[3]);
  const double sine = glm::length(v);  // of half the angle
  // atan2 keeps small angles; below, angle / sine → 2.
  return sine > 1e-12 ? v * (2 * std::atan2(sine, q[0]) / sine) : 2.0 * v;
}

Quaternion rotated_by(const Quaternion& a, const Vec3<double>& axis_times_angle) {
  const double angle = glm::length(axis_times_angle);
  const double scale = angle > 1e-12 ? std::sin(angle / 2) / angle : 0.5;
  const Vec3<double> v = axis_times_angle * scale;
  Quaternion q = quaternion_product(a, {std::cos(angle / 2), v.x, v.y, v.z});
  const double length = std::sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
  for (double& component : q) component /= length;
  return q;
}

Quaternion rotation_between(const Quaternion& a, const Quaternion& b, double share) {
  return rotated_by(a, share * rotation_to(a, b));
}

Pose<double> pose_between(const Pose<double>& from, const Pose<double>& to, double share) {
  const Vec3<double> centre = (1 - share) * camera_centre(from) + share * camera_centre(to);
  Pose<double> pose;
  pose.rotation = rotation_from_quaternion(
      rotation_between(quaternion_from_rotation(from.rotation), quaternion_from_rotation(to.rotation), share));
  pose.translation = -(pose.rotation * centre);
  return pose;
}

Quaternion rotation_hermite(const Quaternion& a, const Quaternion& b, const Vec3<double>& from_rad,
                            const Vec3<double>& to_rad, double u) {
  const Quaternion a_side = rotated_by(a, from_rad / 3.0), b_side = rotated_by(b, to_rad / -3.0);
  const Quaternion first = rotation_between(a, a_side, u), middle = rotation_between(a_side, b_side, u),
                   last = rotation_between(b_side, b, u);
  return rotation_between(rotation_between(first, middle, u), rotation_between(middle, last, u), u);
}

}  // namespace ptl
