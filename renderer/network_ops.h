// One convolution of the network with everything around it: resampling and concatenation of its inputs before,
// the gate after. Registered for scripts as ptl::conv_block.
#pragma once

#include <vector>

#include <torch/types.h>

#include "kernels/conv3x3.h"

namespace ptl {

/// An input of a convolution: its channels are concatenated after those of the parts before it.
struct BlockInput {
  torch::Tensor tensor;  ///< [N, C, h, w]: the output's size, half (upsample2) or twice (pool2)
  Resampling resampling = Resampling::none;
};

/// inputs -> convolution (zero padding, stride 1) with weight [O, C, k, k] (k = 1 or 3) and bias [O] -> [N, O, H, W];
/// gated: O = 2F, the first F channels are values, the others gates, and the result [N, F, H, W] is as Gate says.
/// CPU and float32 only. Differentiable once in every tensor.
torch::Tensor conv_block(const std::vector<BlockInput>& inputs, const torch::Tensor& weight, const torch::Tensor& bias,
                         Gate gate);

/// The same from LibTorch's operators, any device and floating type.
torch::Tensor conv_block_libtorch(const std::vector<BlockInput>& inputs, const torch::Tensor& weight,
                                  const torch::Tensor& bias, Gate gate);

/// Bilinear ×2, align_corners off, of [N, C, h, w], from slices and sums: its backward is deterministic on CUDA,
/// where LibTorch's own uses atomics.
torch::Tensor upsample2_deterministic(const torch::Tensor& x);

}  // namespace ptl
