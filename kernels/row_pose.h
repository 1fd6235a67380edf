// A camera that moves while its rows are read out (method section 6, rolling shutter): row y of the whole photo is taken by
// exp(t·ξ) · camera_from_world, t = y/height − ½, so that camera_from_world is the pose of the middle row.
#pragma once

#include "kernels/camera_params.h"
#include "kernels/se3.h"

namespace ptl {

/// When a row is read out, −½ at the top to ½ at the bottom; rows outside of the photo are as its first or last one.
template <class T>
PTL_HD T readout_time(T y_photo_px, int32_t photo_height_px) {
  const T t = y_photo_px / static_cast<T>(photo_height_px) - T(0.5);
  return t > T(-0.5) ? (t < T(0.5) ? t : T(0.5)) : T(-0.5);  // NaN is the first row
}

/// exp(t·ξ) x to the second order in t·ξ: a camera turns by a few degrees in a readout, and what is left out is below a
/// hundredth of a pixel (3° in a photo of 1000 pixels: 0.003).
template <class T>
PTL_HD Vec3<T> moved_in_readout(const Tangent<T>& readout_motion, T t, const Vec3<T>& x_camera) {
  const Vec3<T> velocity = readout_motion.translation + glm::cross(readout_motion.rotation, x_camera);
  return x_camera + t * (velocity + (T(0.5) * t) * glm::cross(readout_motion.rotation, velocity));
}

/// The same of a direction turned by t·ω; −t turns it back.
template <class T>
PTL_HD Vec3<T> turned_in_readout(const Vec3<T>& readout_rotation, T t, const Vec3<T>& direction) {
  return moved_in_readout(Tangent<T>{Vec3<T>(T(0)), readout_rotation}, t, direction);
}

/// A camera's poses while its rows are read out; without motion one pose.
struct RowPoses {
  Pose<double> camera_from_world;  ///< of the middle row
  Tangent<double> readout_motion;
  RowPoses(const Pose<double>& middle = {}, const Tangent<double>& motion = {}) : camera_from_world(middle), readout_motion(motion) {}
};

template <class T>
PTL_HD bool moves(const Tangent<T>& motion) {
  return glm::dot(motion.translation, motion.translation) + glm::dot(motion.rotation, motion.rotation) > T(0);
}

template <class T, class S>
PTL_HD Tangent<T> tangent_cast(const Tangent<S>& tangent) {
  return {Vec3<T>(tangent.translation), Vec3<T>(tangent.rotation)};
}

/// How far at most a point at this distance from the camera is from where the middle row sees it.
template <class T>
PTL_HD T readout_reach(const Tangent<T>& readout_motion, T distance) {
  return T(0.51) * (glm::length(readout_motion.translation) + glm::length(readout_motion.rotation) * distance);
}

}  // namespace ptl
