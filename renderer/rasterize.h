// Stages 1 to 3 as one operator: points and descriptors in, the blended pyramid out, differentiable in the descriptors.
#pragma once

#include <torch/torch.h>

#include "kernels/device.h"
#include "kernels/environment.h"
#include "kernels/raster_types.h"

namespace ptl {

/// Points as tensors, all on one device, in blocks of 256 (datasets/prepare.h).
struct PointTensors {
  torch::Tensor position;            ///< [N, 3] float, scene coordinates
  torch::Tensor radius_over_sqrt_u;  ///< [N] float
  torch::Tensor id;                  ///< [N] int64
  torch::Tensor normal;              ///< [N, 3] float, or undefined
  torch::Tensor block_bounds;        ///< [blocks, 6] float: low, high
  int64_t size() const { return position.size(0); }
};

/// The layers of a pyramid in one buffer of P pixels (kernels/raster_types.h: PyramidShape).
struct Pyramid {
  PyramidShape shape;
  torch::Tensor features;     ///< [P, C]; 0 where empty
  torch::Tensor weight;       ///< [P] int32: number of contributors
  torch::Tensor min_depth_m;  ///< [P] float; +∞ where empty
  torch::Tensor projected;    ///< [M, 16] bytes: ProjectedPoint, what structure gradients start from
};

/// Also the operator ptl::rasterize. Descriptors [N, C] float, C = 1..16; their gradient is sparse (COO, one row for each
/// projected point, in no particular order). Errors: TORCH_CHECK.
Pyramid rasterize(const PointTensors& points, const torch::Tensor& descriptors, const CameraParams<double>& camera,
                  const RowPoses& poses, const Crop& crop, const RasterConfig& config,
                  RasterDriver driver = RasterDriver::automatic);

/// What stage 4 needs to know of a pyramid.
std::vector<PyramidLayer> pyramid_layers(const PyramidShape& shape);

/// features [P, C] as one tensor [1, C, H_l, W_l] per layer, channels last; views, differentiable.
std::vector<torch::Tensor> split_layers(const PyramidShape& shape, const torch::Tensor& features);

}  // namespace ptl
