#include "renderer/network.h"

#include <algorithm>
#include <cmath>

#include <torch/torch.h>

#include "datasets/error.h"
#include "kernels/hash.h"
#include "renderer/network_ops.h"

namespace ptl {
namespace {

using torch::Tensor;

/// One convolution of the network: what it needs to be made, counted and named.
struct Layer {
  std::string name;
  int inputs;
  int outputs;  ///< filters after the gate
  int kernel;
  Gate gate;
  int level;  ///< of its output
};

std::string numbered(const char* name, int level) { return name + std::to_string(level); }

/// The layers in the order in which forward() uses them; method section 5.
std::vector<Layer> layers_of(const NetworkConfig& config) {
  const int c = config.in_channels;
  const int last = config.levels - 1;
  std::vector<Layer> layers;
  if (config.kind == NetworkKind::unet) {
    layers.push_back({"start", c, config.filters(0), 3, Gate::elu, 0});
    for (int i = 1; i <= last; ++i) {
      layers.push_back({numbered("down", i), config.filters(i - 1), config.filters(i) - c, 3, Gate::elu, i});
    }
    for (int i = last - 1; i >= 0; --i) {
      layers.push_back({numbered("widen", i), config.filters(i + 1), config.filters(i), 3, Gate::linear, i});
      layers.push_back({numbered("up", i), 2 * config.filters(i), config.filters(i), 3, Gate::elu, i});
    }
    layers.push_back({"final", config.filters(0), 3, 1, Gate::none, 0});
  } else {
    const int f = config.light_channels;
    layers.push_back({numbered("block", last), c, f, 3, Gate::elu, last});
    for (int i = last - 1; i >= 0; --i) layers.push_back({numbered("block", i), f + 2 * c, f, 3, Gate::elu, i});
    layers.push_back({"final", f + c, 3, 1, Gate::none, 0});
  }
  return layers;
}

/// Uniform in ±1/sqrt(fan-in): LibTorch's default for convolutions, but from counters, not from a generator's state.
Tensor draw_uniform(at::IntArrayRef sizes, int64_t fan_in, uint64_t seed, uint64_t parameter) {
  Tensor values = torch::empty(sizes, torch::kFloat32);
  float* data = values.data_ptr<float>();
  const float bound = 1.0f / std::sqrt(static_cast<float>(fan_in));
  for (int64_t i = 0; i < values.numel(); ++i) {
    data[i] = bound * (2.0f * draw_unit(seed, DrawPurpose::network_init, parameter, static_cast<uint64_t>(i)) - 1.0f);
  }
  return values;
}

}  // namespace

NetworkKind parse_network_kind(const std::string& name) {
  if (name == "unet") return NetworkKind::unet;
  if (name == "light") return NetworkKind::light;
  throw InputError("network: expected unet or light, found \"{}\".", name);
}

std::string network_kind_name(NetworkKind kind) { return kind == NetworkKind::unet ? "unet" : "light"; }

int NetworkConfig::filters(int level) const { return feature_factor * (4 << std::min(level, 3)); }

void NetworkConfig::check() const {
  if (levels < 1 || levels > 10) throw InputError("network.levels: expected 1 to 10, found {}.", levels);
  if (in_channels < 1 || in_channels > 64) {
    throw InputError("network.in_channels: expected 1 to 64, found {}.", in_channels);
  }
  if (kind == NetworkKind::light) {
    if (light_channels < 1 || light_channels > 256) {
      throw InputError("network.light_channels: expected 1 to 256, found {}.", light_channels);
    }
    return;
  }
  if (feature_factor < 1 || feature_factor > 64) {
    throw InputError("network.feature_factor: expected 1 to 64, found {}.", feature_factor);
  }
  for (int level = 1; level < levels; ++level) {
    if (filters(level) > in_channels) continue;
    throw InputError("network.feature_factor: {} gives {} filters at level {}, but each level needs more filters than "
                     "the {} input channels; raise network.feature_factor to at least {}.",
                     feature_factor, filters(level), level, in_channels, in_channels / 8 + 1);
  }
}

double network_multiplications(const NetworkConfig& config) {
  config.check();
  double sum = 0;
  for (const Layer& layer : layers_of(config)) {
    const int convolved = layer.gate != Gate::none ? 2 * layer.outputs : layer.outputs;
    sum += std::ldexp(static_cast<double>(layer.inputs) * convolved * layer.kernel * layer.kernel, -2 * layer.level);
  }
  return sum;
}

NeuralRenderer::NeuralRenderer(const NetworkConfig& config, uint64_t seed, torch::Device device) : config_(config) {
  config_.check();
  for (const Layer& layer : layers_of(config_)) {
    const int64_t convolved = layer.gate != Gate::none ? 2 * layer.outputs : layer.outputs;
    const int64_t fan_in = static_cast<int64_t>(layer.inputs) * layer.kernel * layer.kernel;
    parameters_.emplace_back(layer.name + ".weight",
                             draw_uniform({convolved, layer.inputs, layer.kernel, layer.kernel}, fan_in, seed,
                                          parameters_.size()));
    parameters_.emplace_back(layer.name + ".bias", draw_uniform({convolved}, fan_in, seed, parameters_.size()));
  }
  to(device);
}

void NeuralRenderer::to(torch::Device device, torch::ScalarType type) {
  for (auto& [name, tensor] : parameters_) tensor = tensor.detach().to(device, type).requires_grad_(true);
}

Tensor NeuralRenderer::forward(const std::vector<Tensor>& pyramid) const {
  const Tensor& weight = parameters_.front().second;
  return run(pyramid, !weight.is_cpu() || weight.scalar_type() != torch::kFloat32);
}

Tensor NeuralRenderer::forward_libtorch(const std::vector<Tensor>& pyramid) const { return run(pyramid, true); }

Tensor NeuralRenderer::run(const std::vector<Tensor>& pyramid, bool libtorch) const {
  const int last = config_.levels - 1;
  TORCH_CHECK(static_cast<int>(pyramid.size()) == config_.levels, "network: expected ", config_.levels,
              " layers, found ", pyramid.size());
  for (int i = 0; i <= last; ++i) {
    const Tensor& x = pyramid[static_cast<size_t>(i)];
    TORCH_CHECK(x.dim() == 4 && x.size(1) == config_.in_channels, "network: layer ", i, " must be [N, ",
                config_.in_channels, ", H, W], found ", x.sizes());
    TORCH_CHECK(x.size(2) << i == pyramid[0].size(2) && x.size(3) << i == pyramid[0].size(3), "network: layer ", i,
                " is ", x.sizes(), ", expected 1/", 1 << i, " of the first layer's size in each direction");
  }

  size_t next = 0;
  const auto convolve = [&](const std::vector<BlockInput>& inputs, Gate gate) {
    const Tensor& weight = parameters_[next++].second;
    const Tensor& bias = parameters_[next++].second;
    return libtorch ? conv_block_libtorch(inputs, weight, bias, gate) : conv_block(inputs, weight, bias, gate);
  };
  const auto layer = [&](int i) { return pyramid[static_cast<size_t>(i)]; };
  constexpr Resampling up = Resampling::upsample2;
  constexpr Resampling pool = Resampling::pool2;

  if (config_.kind == NetworkKind::light) {
    Tensor x = convolve({{layer(last)}}, Gate::elu);
    for (int i = last - 1; i >= 0; --i) x = convolve({{x, up}, {layer(i + 1), up}, {layer(i)}}, Gate::elu);
    return convolve({{x}, {layer(0)}}, Gate::none);
  }

  // down[i] beside layer i is the output of level i; the two are never copied into one tensor.
  std::vector<Tensor> down = {convolve({{layer(0)}}, Gate::elu)};
  for (int i = 1; i <= last; ++i) {
    std::vector<BlockInput> inputs = {{down.back(), pool}};
    if (i > 1) inputs.push_back({layer(i - 1), pool});
    down.push_back(convolve(inputs, Gate::elu));
  }
  std::vector<BlockInput> below = {{down.back(), up}};
  if (last > 0) below.push_back({layer(last), up});
  Tensor x = down[0];
  for (int i = last - 1; i >= 0; --i) {
    std::vector<BlockInput> skip = {{convolve(below, Gate::linear)}, {down[static_cast<size_t>(i)]}};
    if (i > 0) skip.push_back({layer(i)});
    x = convolve(skip, Gate::elu);
    below = {{x, up}};
  }
  return convolve({{x}}, Gate::none);
}

}  // namespace ptl
