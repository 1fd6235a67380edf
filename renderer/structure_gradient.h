// The approximate gradient to structure as an operator: points, pose and camera become inputs of what a pyramid
// displays (method section 8; kernels/structure_grad.h has the formulas).
#pragma once

#include <torch/torch.h>

#include "kernels/holes.h"
#include "kernels/structure_grad.h"
#include "renderer/rasterize.h"

namespace ptl {

/// What the gradient goes to; undefined tensors get none. Their values are not looked at: the pyramid was rendered from
/// the scene as it is.
struct StructureInputs {
  torch::Tensor position;  ///< [N, 3] float; its gradient is sparse (COO, the rows that have one)
  torch::Tensor
      pose_tangent;  ///< [6] double, CPU: ξ = (translation, rotation) of pose ← exp(ξ) · camera_from_world, at 0
  torch::Tensor camera;  ///< [16] double, CPU: changes of CameraParams::value, in its units
  torch::Tensor readout_motion;   ///< [6] double, CPU: changes of the view's readout motion (kernels/row_pose.h)
  torch::Tensor exposure_motion;  ///< [6] double, CPU: the same of its exposure motion (renderer/motion_blur.h), which reaches
                                  ///< structure_gradient() as part of pose_tangent
  bool any() const {
    return position.defined() || pose_tangent.defined() || camera.defined() || readout_motion.defined();
  }
};

/// `displayed` [P, C or C + 1] as it is, differentiable in the structure inputs too: gradients are means over the terms
/// of each parameter. `points`, `descriptors`, view and config as `pyramid` was rasterised, `holes` as it was filled. A
/// coverage channel has no say. Also the operator ptl::structure_gradient. Errors: TORCH_CHECK.
torch::Tensor structure_gradient(const torch::Tensor& displayed, const StructureInputs& inputs,
                                 const PointTensors& points, const torch::Tensor& descriptors, const Pyramid& pyramid,
                                 const CameraParams<double>& camera, const RowPoses& poses, const Crop& crop, const RasterConfig& config,
                                 HoleFill holes, const StructureConfig& structure, RasterDriver driver = RasterDriver::automatic);

/// What kernels/structure_grad.* look at; the gradient is still to come. `displayed` [P, C or C + 1]; all of them must
/// outlive it.
StructureImage structure_image(const PyramidShape& shape, const torch::Tensor& displayed,
                               const torch::Tensor& descriptors, const torch::Tensor& weight,
                               const torch::Tensor& min_depth_m, const torch::Tensor& projected,
                               double depth_tolerance);

}  // namespace ptl
