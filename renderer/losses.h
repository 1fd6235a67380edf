// The loss of a crop against its photo (method section 7):
// w_vgg · VGG19 + w_l1 · L1 + w_mse · MSE + w_ssim · (1 − SSIM).
// Everything is summed by fixed trees: the same bits with any number of threads.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <string>

#include "renderer/vgg.h"

namespace ptl {

struct LossConfig {
  double w_vgg = 0.0;    ///< needs the user's weights; 57 with w_l1 = 1 is ADOP's loss with torchvision's weights
  double w_l1 = 1.0;
  double w_mse = 0.0;
  double w_ssim = 0.2;

  template <class V>
  void visit(V&& v) {
    v("w_vgg", w_vgg, "1", "weight of the VGG19 perceptual loss (needs a weight file; 57 with w_l1 = 1 is ADOP's)");
    v("w_l1", w_l1, "1", "weight of the mean absolute difference");
    v("w_mse", w_mse, "1", "weight of the mean squared difference");
    v("w_ssim", w_ssim, "1", "weight of 1 - SSIM");
  }
  /// InputError: a negative weight, or all of them 0.
  void check() const;
};

/// ADOP's loss for torchvision's VGG19 weights (with weights), else L1 + 0.2 · (1 − SSIM).
LossConfig default_loss(bool vgg_weights_given);

/// What a run says about its loss, e.g. "loss: 1 L1 + 0.2 (1 - SSIM); no VGG19 weights were given (…)".
std::string loss_description(const LossConfig& config, bool vgg_weights_given);

struct LossValue {
  torch::Tensor total;                         ///< scalar, differentiable with respect to the prediction
  double l1 = 0, mse = 0, ssim = 0, vgg = 0;   ///< unweighted parts that were computed; those with weight 0 are 0
};

/// prediction, target: both [1,3,H,W] or both [H,W,3], float32 or float64 (for gradient checks), any strides; values of
/// photos in [0,1]. mask: [H,W] of the same dtype or undefined. All on the CPU or all on one GPU, where `total` is too; a
/// call waits for the GPU a few times. L1 and MSE divide by 3 · sum(mask), for VGG and SSIM both images are multiplied by
/// the mask. SSIM needs H, W ≥ 11.
/// `vgg` may be null when w_vgg is 0. Errors: TORCH_CHECK.
LossValue image_loss(const LossConfig& config, const torch::Tensor& prediction, const torch::Tensor& target,
                     const torch::Tensor& mask = {}, const std::shared_ptr<const Vgg19Loss>& vgg = nullptr);

/// Sum over all elements by a fixed tree (kernels/image_loss.h), differentiable, on the tensor's device. For regularisers
/// and other losses.
torch::Tensor tree_sum(const torch::Tensor& values);

}  // namespace ptl
