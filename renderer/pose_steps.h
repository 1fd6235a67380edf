// In which directions a pose is stepped: six that each move what the photo shows equally far.
#pragma once

#include <torch/torch.h>

#include "renderer/scene_model.h"

namespace ptl {

/// What a step of 1 of each component of a pose's tangent is, [6] double: median depths, radians.
torch::Tensor pose_units(double median_depth_m);

/// [images, 6, 6] double, P of each image: tangent (scene units, radians) = P · step. Turning and moving a camera move its
/// picture nearly alike, so that plain steps of the six components hinder each other. With H the mean of Jᵀ J over the
/// points that the given pose sees (J: their pixels in focal lengths by pose_units()), P = pose_units() · (H + damping ·
/// diag H)^(−1/2): a step of 1 of any component moves the picture by about one focal length, as a radian does (Park et al.
/// 2023, "CamP", equation 9). Few points, or structure.even_pose_steps off: pose_units() alone.
torch::Tensor pose_from_steps(const SceneModel& model);

}  // namespace ptl
