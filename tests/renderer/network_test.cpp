// The networks: their size, their kernels against LibTorch's operators, finite differences, and bits across threads.
#include "renderer/network.h"

#include <gtest/gtest.h>
#include <omp.h>
#include <torch/torch.h>

#include "datasets/error.h"
#include "renderer/network_ops.h"

namespace ptl {
namespace {

using torch::Tensor;

NetworkConfig config_of(NetworkKind kind, int levels, int channels) {
  NetworkConfig config;
  config.kind = kind;
  config.levels = levels;
  config.in_channels = channels;
  return config;
}

std::vector<Tensor> random_pyramid(int levels, int channels, int height, int width, bool gradient = true) {
  torch::manual_seed(3);
  std::vector<Tensor> pyramid;
  for (int i = 0; i < levels; ++i) {
    pyramid.push_back(torch::rand({1, channels, height >> i, width >> i})
                          .contiguous(torch::MemoryFormat::ChannelsLast)
                          .requires_grad_(gradient));
  }
  return pyramid;
}

std::vector<Tensor> leaves(const NeuralRenderer& network, const std::vector<Tensor>& pyramid) {
  std::vector<Tensor> all = pyramid;
  for (const auto& [name, tensor] : network.named_parameters()) all.push_back(tensor);
  return all;
}

double relative_difference(const Tensor& a, const Tensor& b) {
  return ((a - b).abs().max() / b.abs().max().clamp_min(1e-12)).item<double>();
}

TEST(Network, MultiplicationsAPixel) {
  EXPECT_NEAR(network_multiplications(config_of(NetworkKind::unet, 4, 4)), 62.9e3, 100);
  EXPECT_NEAR(network_multiplications(config_of(NetworkKind::unet, 6, 8)), 82e3, 500);
  const double light = network_multiplications(config_of(NetworkKind::light, 5, 4));
  EXPECT_NEAR(light, 9.2e3, 50);
  for (int levels : {4, 5, 6}) {
    for (int channels : {4, 5, 8, 9}) {  // both on the same pyramid; at 4 levels a fifth is kept up to C = 8
      if (levels == 4 && channels == 9) continue;
      EXPECT_LT(network_multiplications(config_of(NetworkKind::light, levels, channels)),
                network_multiplications(config_of(NetworkKind::unet, levels, channels)) / 5);
    }
  }
}

TEST(Network, ConfigurationsThatCannotBe) {
  NetworkConfig config = config_of(NetworkKind::unet, 4, 8);
  config.feature_factor = 1;
  try {
    config.check();
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("raise network.feature_factor to at least 2"), std::string::npos)
        << error.what();
  }
  config.feature_factor = 2;
  EXPECT_NO_THROW(config.check());
  EXPECT_THROW(config_of(NetworkKind::light, 0, 4).check(), InputError);
  EXPECT_THROW(config_of(NetworkKind::light, 4, 0).check(), InputError);
  EXPECT_THROW(parse_network_kind("big"), InputError);
  EXPECT_EQ(parse_network_kind("light"), NetworkKind::light);
}

TEST(Network, GradientsEqualLibTorchs) {
  for (const NetworkConfig& config :
       {config_of(NetworkKind::unet, 4, 8), config_of(NetworkKind::unet, 1, 5), config_of(NetworkKind::unet, 6, 4),
        config_of(NetworkKind::light, 5, 9), config_of(NetworkKind::light, 1, 4)}) {
    SCOPED_TRACE(network_kind_name(config.kind) + std::to_string(config.levels));
    const NeuralRenderer network(config, 5);
    const std::vector<Tensor> pyramid = random_pyramid(config.levels, config.in_channels, 64, 96);
    const std::vector<Tensor> inputs = leaves(network, pyramid);
    const Tensor target = torch::rand({1, 3, 64, 96});
    const Tensor ours = network.forward(pyramid);
    const Tensor theirs = network.forward_libtorch(pyramid);
    EXPECT_LT(relative_difference(ours, theirs), 1e-5);
    const auto a = torch::autograd::grad({(ours - target).square().mean()}, inputs);
    const auto b = torch::autograd::grad({(theirs - target).square().mean()}, inputs);
    for (size_t i = 0; i < a.size(); ++i) EXPECT_LT(relative_difference(a[i], b[i]), 1e-4) << i;
    const torch::NoGradGuard guard;
    EXPECT_TRUE(torch::equal(network.forward(pyramid), ours));
  }
}

TEST(Network, SameBitsForAnyNumberOfThreads) {
  const int before = omp_get_max_threads();
  for (NetworkKind kind : {NetworkKind::unet, NetworkKind::light}) {
    const NetworkConfig config = config_of(kind, 4, 5);
    const std::vector<Tensor> pyramid = random_pyramid(4, 5, 48, 72);
    std::vector<Tensor> first;
    for (int threads : {1, 2, 3}) {
      omp_set_num_threads(threads);
      at::set_num_threads(threads);
      const NeuralRenderer network(config, 5);
      const Tensor image = network.forward(pyramid);
      std::vector<Tensor> found = torch::autograd::grad({image}, leaves(network, pyramid), {torch::ones_like(image)});
      found.push_back(image.detach());
      if (first.empty()) first = found;
      for (size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(torch::equal(first[i], found[i])) << threads << " " << i;
    }
  }
  omp_set_num_threads(before);
  at::set_num_threads(before);
}

TEST(Network, FiniteDifferencesOfEachBlockInDoublePrecision) {
  torch::manual_seed(4);
  const auto options = torch::TensorOptions().dtype(torch::kFloat64);
  for (Gate gate : {Gate::none, Gate::linear, Gate::elu}) {
    for (Resampling how : {Resampling::none, Resampling::upsample2, Resampling::pool2}) {
      const int64_t size = how == Resampling::none ? 4 : how == Resampling::pool2 ? 8 : 2;
      std::vector<Tensor> x = {torch::randn({1, 2, size, size + (how == Resampling::none ? 0 : 2)}, options)};
      x.push_back(torch::randn({1, 1, 4, how == Resampling::none ? 4 : how == Resampling::pool2 ? 5 : 8}, options));
      x.push_back(torch::randn({4, 3, 3, 3}, options));
      x.push_back(torch::randn({4}, options));
      const Tensor along = torch::randn({1, gate != Gate::none ? 2 : 4, x[1].size(2), x[1].size(3)}, options);
      const auto value = [&] {
        return (conv_block_libtorch({{x[0], how}, {x[1]}}, x[2], x[3], gate) * along).sum();
      };
      for (Tensor& t : x) t.requires_grad_(true);
      const auto gradients = torch::autograd::grad({value()}, {x.begin(), x.end()});
      // The float32 kernels have the same gradients.
      std::vector<Tensor> f;
      for (const Tensor& t : x) f.push_back(t.detach().to(torch::kFloat32).requires_grad_(true));
      const Tensor ours = (conv_block({{f[0], how}, {f[1]}}, f[2], f[3], gate) * along.to(torch::kFloat32)).sum();
      const auto kernels = torch::autograd::grad({ours}, f);
      const torch::NoGradGuard guard;
      for (size_t i = 0; i < x.size(); ++i) {
        EXPECT_LT(relative_difference(kernels[i].to(torch::kFloat64), gradients[i]), 1e-5) << i;
        for (int64_t j = 0; j < x[i].numel(); ++j) {
          double& element = x[i].contiguous().data_ptr<double>()[j];
          ASSERT_TRUE(x[i].is_contiguous());
          const double kept = element;
          element = kept + 1e-6;
          const double above = value().item<double>();
          element = kept - 1e-6;
          const double below = value().item<double>();
          element = kept;
          const double expected = (above - below) / 2e-6;
          EXPECT_NEAR(gradients[i].contiguous().data_ptr<double>()[j], expected, 1e-6 * (1 + std::abs(expected)))
              << i << " " << j;
        }
      }
    }
  }
}

TEST(Network, DeterministicUpsamplingIsLibTorchs) {
  const Tensor x = torch::randn({2, 3, 5, 1}, torch::kFloat64).requires_grad_(true);
  const Tensor ours = upsample2_deterministic(x);
  const Tensor theirs = at::upsample_bilinear2d(x, {10, 2}, false);
  EXPECT_LT(relative_difference(ours, theirs), 1e-12);
  const Tensor along = torch::randn_like(theirs);
  const Tensor a = torch::autograd::grad({ours}, {x}, {along})[0];
  const Tensor b = torch::autograd::grad({theirs}, {x}, {along})[0];
  EXPECT_LT(relative_difference(a, b), 1e-12);
}

TEST(Network, WeightsComeFromTheSeed) {
  const NetworkConfig config = config_of(NetworkKind::light, 3, 4);
  const NeuralRenderer a(config, 1), b(config, 1), c(config, 2);
  for (size_t i = 0; i < a.named_parameters().size(); ++i) {
    EXPECT_TRUE(torch::equal(a.named_parameters()[i].second, b.named_parameters()[i].second));
    EXPECT_FALSE(torch::equal(a.named_parameters()[i].second, c.named_parameters()[i].second));
  }
  const Tensor& weight = a.named_parameters()[0].second;  // 4 inputs, 3×3
  EXPECT_LE(weight.abs().max().item<float>(), 1.0f / 6.0f);
  EXPECT_NEAR(weight.square().mean().item<float>(), 1.0f / 36.0f / 3.0f, 5e-4);
}

TEST(Network, RefusesPyramidsOfOtherSizes) {
  const NeuralRenderer network(config_of(NetworkKind::light, 3, 4));
  EXPECT_THROW(network.forward(random_pyramid(2, 4, 16, 16)), c10::Error);
  EXPECT_THROW(network.forward(random_pyramid(3, 4, 18, 16)), c10::Error);
  EXPECT_THROW(network.forward(random_pyramid(3, 5, 16, 16)), c10::Error);
}

}  // namespace
}  // namespace ptl
