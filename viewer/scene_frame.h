// What the viewer knows of a scene's layout before anything is drawn: which way is up, where to begin.
#pragma once

#include <vector>

#include "kernels/se3.h"

namespace ptl {

/// The scene's up, a unit vector in scene coordinates, from the cameras of its photos: most are held level, in
/// landscape or in portrait format, so that up lies across their level axes; where those say nothing (all parallel),
/// the mean of the cameras' own ups. −y for no cameras at all.
Vec3<double> estimate_up(const std::vector<Pose<double>>& cameras_from_world);

/// Index of the camera nearest to the middle of all of them: a place to begin. At least one camera.
size_t middle_camera(const std::vector<Pose<double>>& cameras_from_world);

}  // namespace ptl
