// Rigid transforms and their tangent space. Poses are camera_from_world: x_camera = rotation * x_world + translation.
// Camera frame: x right, y down, z forward (COLMAP, OpenCV).
#pragma once

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
};

}  // namespace ptl
