// Perceptual losses from the user's weight files (method section 7): VGG19 features for fitting, LPIPS for reports.
// The files have torchvision's names and are made by scripts/experiments/export_vgg.py; nothing is downloaded.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ptl {

/// The mean absolute difference of 13 feature maps of VGG19 (after relu1_1 … relu5_1, torchvision's features 1, 3, 6,
/// 8, 11, 13, 15, 17, 20, 22, 24, 26, 29), summed over the maps; average pooling in the place of max pooling;
/// torchvision's normalisation of the input.
class Vgg19Loss {
 public:
  /// File with "features.N.weight" and "features.N.bias", float32, for images on `device`. InputError names what is
  /// missing or wrong.
  explicit Vgg19Loss(const std::filesystem::path& weights, torch::Device device = torch::kCPU);

  /// prediction, target [1,3,H,W] float32 or float64 in [0,1], H, W ≥ 16, on the device of the weights. Scalar,
  /// differentiable in prediction.
  torch::Tensor operator()(const torch::Tensor& prediction, const torch::Tensor& target) const;

 private:
  struct Layer {
    torch::Tensor weight, bias;
    bool pool_before;
  };
  std::vector<Layer> layers_;
};

enum class LpipsNet { alex, vgg };
inline std::vector<std::string> enum_names(LpipsNet*) { return {"alex", "vgg"}; }

/// LPIPS 0.1 (Zhang et al. 2018), as the Python package `lpips` computes it with images in [0,1] and normalize=True.
class Lpips {
 public:
  /// `weights`: torchvision's "features.N.*" of AlexNet or VGG16 and the linear heads "lin0.model.1.weight" …
  /// "lin4.model.1.weight" of the package `lpips` in one file. Which net it is follows from the shapes.
  explicit Lpips(const std::filesystem::path& weights);

  LpipsNet net() const { return net_; }
  /// "LPIPS-VGG" or "LPIPS-Alex".
  std::string name() const;
  /// Images [H,W,3] float32 in [0,1] (values outside are clamped); H, W ≥ 32.
  double operator()(const torch::Tensor& image, const torch::Tensor& target) const;

 private:
  struct Layer {
    torch::Tensor weight, bias;
    int64_t stride, padding;
    int64_t pool_before;  ///< side of the max pooling before it with stride 2, 0: none
    bool tap_after;       ///< its activation enters the distance
  };
  LpipsNet net_ = LpipsNet::alex;
  std::vector<Layer> layers_;
  std::vector<torch::Tensor> heads_;
};

/// What a report prints: three decimals, or "n/a" when there are no weights.
std::string lpips_text(const std::optional<double>& value);

}  // namespace ptl
