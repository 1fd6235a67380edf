// Curves of rotations: unit quaternions (w, x, y, z) as in kernels/se3.h, in double. q and −q are the same rotation:
// every function here takes the shorter way between two of them, whatever their signs.
#pragma once

#include <array>

#include "kernels/se3.h"

namespace ptl {

using Quaternion = std::array<double, 4>;

/// The rotation b after a: rotation_from_quaternion(product) = R(a) R(b).
Quaternion quaternion_product(const Quaternion& a, const Quaternion& b);

/// Axis times angle in radians, at most π long, of the rotation that leads from a to b in a's own frame: b = a ·
/// exp(it).
Vec3<double> rotation_to(const Quaternion& a, const Quaternion& b);

/// a · exp(v): a turned in its own frame by an axis times an angle.
Quaternion rotated_by(const Quaternion& a, const Vec3<double>& axis_times_angle);

/// On the shortest way from a (share 0) to b (share 1), at constant angular velocity (slerp).
Quaternion rotation_between(const Quaternion& a, const Quaternion& b, double share);

/// The camera goes straight from one place (share 0) to another (share 1) and turns evenly on the shortest way.
Pose<double> pose_between(const Pose<double>& from, const Pose<double>& to, double share);

/// The cubic curve of rotations for u in 0..1 from a to b that begins with the angular velocity from_rad and ends with
/// to_rad (axis times radians per unit of u, in the rotating frame): de Casteljau's construction on the rotation group
/// (Shoemake 1985), with control rotations a exp(from/3) and b exp(−to/3).
Quaternion rotation_hermite(const Quaternion& a, const Quaternion& b, const Vec3<double>& from_rad,
                            const Vec3<double>& to_rad, double u);

}  // namespace ptl
