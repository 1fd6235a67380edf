#include "renderer/vgg.h"

#include <array>

#include "datasets/error.h"
#include "renderer/losses.h"
#include "renderer/safetensors.h"

namespace ptl {
namespace {

/// torchvision's normalisation of ImageNet photos.
torch::Tensor normalised(const torch::Tensor& image) {
  const auto options = image.options().requires_grad(false);
  const torch::Tensor mean = torch::tensor({0.485, 0.456, 0.406}, options).view({1, 3, 1, 1});
  const torch::Tensor deviation = torch::tensor({0.229, 0.224, 0.225}, options).view({1, 3, 1, 1});
  return (image - mean) / deviation;
}

/// "features.N.weight" [outputs, inputs, kernel, kernel] and its bias, float32.
std::pair<torch::Tensor, torch::Tensor> convolution(const SafetensorsFile& file, int number, int64_t outputs,
                                                    int64_t inputs, int64_t kernel) {
  const std::string name = "features." + std::to_string(number);
  return {file.read(name + ".weight", torch::kFloat32, {outputs, inputs, kernel, kernel}),
          file.read(name + ".bias", torch::kFloat32, {outputs})};
}

torch::Tensor convolve(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias, int64_t stride,
                       int64_t padding) {
  return torch::conv2d(x, weight.to(x.scalar_type()), bias.to(x.scalar_type()), stride, padding).relu();
}

}  // namespace

Vgg19Loss::Vgg19Loss(const std::filesystem::path& weights, torch::Device device) {
  const SafetensorsFile file(weights);
  // torchvision numbers convolutions, relus and poolings in one row; a convolution's relu is the next number.
  constexpr std::array<int, 13> numbers = {0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28};
  constexpr std::array<int64_t, 13> outputs = {64, 64, 128, 128, 256, 256, 256, 256, 512, 512, 512, 512, 512};
  int64_t inputs = 3;
  for (size_t i = 0; i < numbers.size(); ++i) {
    auto [weight, bias] = convolution(file, numbers[i], outputs[i], inputs, 3);
    layers_.push_back({weight.to(device), bias.to(device), i == 2 || i == 4 || i == 8 || i == 12});
    inputs = outputs[i];
  }
}

torch::Tensor Vgg19Loss::operator()(const torch::Tensor& prediction, const torch::Tensor& target) const {
  TORCH_CHECK(prediction.dim() == 4 && prediction.size(0) == 1 && prediction.size(1) == 3 &&
                  prediction.sizes() == target.sizes(),
              "vgg: expected two images [1,3,H,W], got ", prediction.sizes(), " and ", target.sizes());
  TORCH_CHECK(prediction.size(2) >= 16 && prediction.size(3) >= 16, "vgg: needs at least 16 x 16 px, got ",
              prediction.sizes());
  torch::Tensor x = normalised(prediction), y = normalised(target.detach());
  torch::Tensor total = torch::zeros({}, prediction.options().requires_grad(false));
  for (const Layer& layer : layers_) {
    if (layer.pool_before) {
      x = torch::avg_pool2d(x, 2);
      y = torch::avg_pool2d(y, 2);
    }
    x = convolve(x, layer.weight, layer.bias, 1, 1);
    {
      const torch::NoGradGuard no_grad;
      y = convolve(y, layer.weight, layer.bias, 1, 1);
    }
    total = total + tree_sum((x - y).abs()) / static_cast<double>(x.numel());
  }
  return total;
}

Lpips::Lpips(const std::filesystem::path& weights) {
  const SafetensorsFile file(weights);
  const auto first = file.entries().find("features.0.weight");
  if (first == file.entries().end() || first->second.shape.size() != 4)
    throw InputError("{}: expected the weights of LPIPS (\"features.0.weight\" of AlexNet or VGG16 and "
                     "\"lin0.model.1.weight\" ...), found none; make the file with scripts/experiments/export_vgg.py",
                     weights.string());
  net_ = first->second.shape[2] == 11 ? LpipsNet::alex : LpipsNet::vgg;
  std::vector<int64_t> tap_channels;
  if (net_ == LpipsNet::alex) {
    struct Row {
      int number;
      int64_t outputs, kernel, stride, padding, pool;
    };
    constexpr Row rows[] = {{0, 64, 11, 4, 2, 0}, {3, 192, 5, 1, 2, 3}, {6, 384, 3, 1, 1, 3},
                            {8, 256, 3, 1, 1, 0}, {10, 256, 3, 1, 1, 0}};
    int64_t inputs = 3;
    for (const Row& row : rows) {
      auto [weight, bias] = convolution(file, row.number, row.outputs, inputs, row.kernel);
      layers_.push_back({weight, bias, row.stride, row.padding, row.pool, true});
      tap_channels.push_back(row.outputs);
      inputs = row.outputs;
    }
  } else {
    constexpr std::array<int, 13> numbers = {0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28};
    constexpr std::array<int64_t, 13> outputs = {64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512};
    int64_t inputs = 3;
    for (size_t i = 0; i < numbers.size(); ++i) {
      auto [weight, bias] = convolution(file, numbers[i], outputs[i], inputs, 3);
      const bool pool = i == 2 || i == 4 || i == 7 || i == 10;
      const bool tap = i == 1 || i == 3 || i == 6 || i == 9 || i == 12;
      layers_.push_back({weight, bias, 1, 1, pool ? 2 : 0, tap});
      if (tap) tap_channels.push_back(outputs[i]);
      inputs = outputs[i];
    }
  }
  for (size_t i = 0; i < tap_channels.size(); ++i)
    heads_.push_back(
        file.read("lin" + std::to_string(i) + ".model.1.weight", torch::kFloat32, {1, tap_channels[i], 1, 1}));
}

std::string Lpips::name() const { return net_ == LpipsNet::alex ? "LPIPS-Alex" : "LPIPS-VGG"; }

double Lpips::operator()(const torch::Tensor& image, const torch::Tensor& target) const {
  TORCH_CHECK(image.dim() == 3 && image.size(2) == 3 && image.sizes() == target.sizes(),
              "lpips: expected two images [H,W,3], got ", image.sizes(), " and ", target.sizes());
  TORCH_CHECK(image.size(0) >= 32 && image.size(1) >= 32, "lpips: needs at least 32 x 32 px, got ", image.sizes());
  const torch::NoGradGuard no_grad;
  // The package scales [0,1] to [-1,1] and normalises by (-.030, -.088, -.188) and (.458, .448, .450): torchvision's
  // normalisation of [0,1], rounded to three digits. Its numbers are used.
  const auto packaged = [](const torch::Tensor& x) {
    const torch::Tensor shift = torch::tensor({-0.030f, -0.088f, -0.188f}).view({1, 3, 1, 1});
    const torch::Tensor scale = torch::tensor({0.458f, 0.448f, 0.450f}).view({1, 3, 1, 1});
    return ((2 * x.clamp(0, 1).permute({2, 0, 1}).unsqueeze(0).contiguous() - 1) - shift) / scale;
  };
  torch::Tensor x = packaged(image), y = packaged(target);
  double total = 0;
  size_t tap = 0;
  for (const Layer& layer : layers_) {
    if (layer.pool_before > 0) {
      x = torch::max_pool2d(x, layer.pool_before, 2);
      y = torch::max_pool2d(y, layer.pool_before, 2);
    }
    x = convolve(x, layer.weight, layer.bias, layer.stride, layer.padding);
    y = convolve(y, layer.weight, layer.bias, layer.stride, layer.padding);
    if (!layer.tap_after) continue;
    // Unit length over the channels, squared difference, weighted sum over channels, mean over pixels.
    const auto unit = [](const torch::Tensor& f) { return f / (f.square().sum(1, true).sqrt() + 1e-10); };
    const torch::Tensor distance = (unit(x) - unit(y)).square().mul(heads_[tap]).sum(1);
    total += tree_sum(distance).item<double>() / static_cast<double>(distance.numel());
    ++tap;
  }
  return total;
}

std::string lpips_text(const std::optional<double>& value) { return value ? fmt::format("{:.3f}", *value) : "n/a"; }

}  // namespace ptl
