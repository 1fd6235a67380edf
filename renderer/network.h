// The neural renderer (method section 5): from the rasterised pyramid to an image of linear radiance.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <torch/types.h>

namespace ptl {

enum class NetworkKind {
  unet,   ///< ADOP's multi-scale gated U-Net
  light,  ///< a decoder only, for machines without a GPU: at most a fifth of the U-Net's multiplications
};

/// "unet" or "light"; anything else is an InputError.
NetworkKind parse_network_kind(const std::string& name);
std::string network_kind_name(NetworkKind kind);

struct NetworkConfig {
  NetworkKind kind = NetworkKind::unet;
  int levels = 4;          ///< layers of the pyramid; 1..10
  int in_channels = 5;     ///< channels of each layer, coverage included (C); 1..64
  int feature_factor = 4;  ///< U-Net: filters are feature_factor × (4, 8, 16, 32, 32, …)
  int light_channels = 16; ///< light: filters of each gated block

  /// U-Net filters of level i: F(i).
  int filters(int level) const;
  /// InputError where a value is out of range or some F(i), i >= 1, is not larger than in_channels.
  void check() const;
};

/// Multiplications a full-resolution pixel of one forward pass (convolutions only).
double network_multiplications(const NetworkConfig& config);

class NeuralRenderer {
 public:
  /// Weights are drawn from the seed: uniform in ±1/sqrt(inputs × kernel area), independent of device and threads.
  /// Parameters are float32 leaves that require a gradient.
  explicit NeuralRenderer(const NetworkConfig& config, uint64_t seed = 0, torch::Device device = torch::kCPU);

  /// pyramid: `levels` tensors [N, C, H / 2^l, W / 2^l], finest first, any strides (channels-last costs no copy).
  /// H and W are divisible by 2^(levels-1): the caller enlarges the image and crops the result.
  /// Returns [N, 3, H, W], linear radiance, not clamped. Differentiable in the pyramid and the parameters.
  /// On the CPU in float32 the kernels of kernels/conv3x3.h compute it; otherwise (CUDA, float64) LibTorch's operators.
  torch::Tensor forward(const std::vector<torch::Tensor>& pyramid) const;

  /// The same network out of LibTorch's operators alone: the path of CUDA and float64, and what tests compare with.
  torch::Tensor forward_libtorch(const std::vector<torch::Tensor>& pyramid) const;

  /// In a fixed order: "start.weight", "start.bias", "down1.weight", … Handles to the weights, not copies.
  std::vector<std::pair<std::string, torch::Tensor>> named_parameters() const { return parameters_; }

  /// Moves the weights to a device or a type; the new weights are leaves again.
  void to(torch::Device device, torch::ScalarType type = torch::kFloat32);

  const NetworkConfig& config() const { return config_; }

 private:
  torch::Tensor run(const std::vector<torch::Tensor>& pyramid, bool libtorch) const;

  NetworkConfig config_;
  std::vector<std::pair<std::string, torch::Tensor>> parameters_;
};

}  // namespace ptl
