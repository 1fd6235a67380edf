// On a GPU: the rasteriser's operator, the networks and the optimiser against the CPU; the same bits in every run.
// (Background, tone mapper and losses: beside their other tests.)
#include <gtest/gtest.h>

#include "kernels/point_blocks.h"
#include "renderer/network.h"
#include "renderer/optimizer.h"
#include "renderer/rasterize.h"
#include "tests/support/torch_gpu.h"

namespace ptl {
namespace {

using torch::Tensor;

double relative_difference(const Tensor& a, const Tensor& b) {
  const Tensor x = a.to(torch::kCPU), y = b.to(torch::kCPU);
  return ((x - y).abs().max() / y.abs().max().clamp_min(1e-12)).item<double>();
}

TEST(Gpu, RasterizeAndItsGradientHaveTheBitsOfTheCpu) {
  PTL_SKIP_WITHOUT_TORCH_GPU();
  torch::manual_seed(3);
  constexpr int64_t count = 5000;
  PointTensors points;
  points.position = torch::rand({count, 3}) * torch::tensor({4.0f, 4.0f, 0.2f}) + torch::tensor({-2.0f, -2.0f, 3.0f});
  points.radius_over_sqrt_u = torch::rand({count}) * 0.2 + 0.01;
  points.id = torch::arange(count);
  for (int64_t begin = 0; begin < count; begin += points_per_block) {
    Tensor block = points.radius_over_sqrt_u.narrow(0, begin, std::min<int64_t>(points_per_block, count - begin));
    block.copy_(std::get<0>(torch::sort(block, 0, true)));
  }
  points.block_bounds = torch::empty({(count + 255) / 256, 6});
  compute_block_bounds(Device{}, points.position.const_data_ptr<float>(), count, points.block_bounds.mutable_data_ptr<float>());
  CameraParams<double> camera;
  camera.width_px = 96;
  camera.height_px = 64;
  camera.value[PinholeModel::fx] = camera.value[PinholeModel::fy] = 80;
  camera.value[PinholeModel::cx] = 48;
  camera.value[PinholeModel::cy] = 32;
  RasterConfig config;
  config.layers = 4;
  config.dropout = 0.25f;
  const Tensor values = torch::rand({count, 8});
  const auto run = [&](torch::Device device) {
    const PointTensors there{points.position.to(device), points.radius_over_sqrt_u.to(device), points.id.to(device),
                             Tensor(), points.block_bounds.to(device)};
    const Tensor descriptors = values.to(device).requires_grad_();
    const Pyramid pyramid = rasterize(there, descriptors, camera, {}, whole_photo(camera), config);
    const Tensor weights = torch::arange(pyramid.features.numel(), pyramid.features.options()).view_as(pyramid.features).sin();
    const Tensor gradient = torch::autograd::grad({pyramid.features}, {descriptors}, {weights})[0];
    EXPECT_EQ(gradient.is_coalesced(), device.is_cuda());
    return std::vector<Tensor>{pyramid.features.detach().to(torch::kCPU), pyramid.weight.to(torch::kCPU),
                               pyramid.min_depth_m.to(torch::kCPU), gradient.to_dense().to(torch::kCPU)};
  };
  const std::vector<Tensor> cpu = run(torch::kCPU), gpu = run(torch::kCUDA);
  EXPECT_GT(cpu[1].max().item<int>(), 1);
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(torch::equal(cpu[i], gpu[i])) << i;
  // sin() of the weights differs by its rounding.
  EXPECT_LT(relative_difference(gpu[3], cpu[3]), 1e-5);
}

TEST(Gpu, NetworksAgreeWithTheCpuAndRepeatTheirBits) {
  PTL_SKIP_WITHOUT_TORCH_GPU();
  for (const NetworkKind kind : {NetworkKind::unet, NetworkKind::light}) {
    SCOPED_TRACE(network_kind_name(kind));
    NetworkConfig config;
    config.kind = kind;
    config.levels = 4;
    config.in_channels = 5;
    torch::manual_seed(3);
    std::vector<Tensor> pyramid;
    for (int i = 0; i < 4; ++i)
      pyramid.push_back(torch::rand({1, 5, 64 >> i, 96 >> i}).contiguous(torch::MemoryFormat::ChannelsLast));
    const Tensor along = torch::rand({1, 3, 64, 96}) - 0.5;
    const auto run = [&](torch::Device device) {
      const NeuralRenderer network(config, 5, device);
      std::vector<Tensor> inputs;
      for (const Tensor& layer : pyramid) inputs.push_back(layer.to(device).requires_grad_());
      const Tensor image = network.forward(inputs);
      std::vector<Tensor> leaves = inputs;
      for (const auto& [name, tensor] : network.named_parameters()) leaves.push_back(tensor);
      std::vector<Tensor> found = torch::autograd::grad({image}, leaves, {along.to(device)});
      found.push_back(image.detach());
      for (Tensor& tensor : found) tensor = tensor.to(torch::kCPU);
      return found;
    };
    const std::vector<Tensor> cpu = run(torch::kCPU), first = run(torch::kCUDA), second = run(torch::kCUDA);
    for (size_t i = 0; i < cpu.size(); ++i) {
      EXPECT_LT(relative_difference(first[i], cpu[i]), 1e-4) << i;  // as our convolutions against LibTorch's
      EXPECT_TRUE(torch::equal(first[i], second[i])) << i;
    }
  }
}

TEST(Gpu, OptimizerHasTheBitsOfTheCpu) {
  PTL_SKIP_WITHOUT_TORCH_GPU();
  for (const OptimizerKind kind : {OptimizerKind::adam, OptimizerKind::sparse_adam, OptimizerKind::sgd}) {
    torch::manual_seed(5);
    const Tensor start = torch::randn({500, 3});
    GroupConfig config;
    config.name = "g";
    config.kind = kind;
    config.learning_rate = 0.05;
    config.epsilon = 1e-15;
    Tensor cpu = start.clone().requires_grad_(), gpu = start.to(torch::kCUDA).requires_grad_();
    Optimizer on_cpu, on_gpu;
    on_cpu.add(config, {{"x", cpu}});
    on_gpu.add(config, {{"x", gpu}});
    for (int t = 0; t < 8; ++t) {
      // Two crops: rows that come twice.
      const Tensor index = torch::cat({torch::randperm(500).slice(0, 0, 200), torch::randperm(500).slice(0, 0, 200)});
      const Tensor rows = torch::sparse_coo_tensor(index.unsqueeze(0), torch::randn({400, 3}), {500, 3});
      cpu.mutable_grad() = t % 2 ? rows : rows.to_dense();
      gpu.mutable_grad() = (t % 2 ? rows : rows.to_dense()).to(torch::kCUDA);
      on_cpu.step(t);
      on_gpu.step(t);
      ASSERT_TRUE(torch::equal(cpu.detach(), gpu.detach().to(torch::kCPU))) << static_cast<int>(kind) << " step " << t;
    }
    gpu.mutable_grad() = torch::full({500, 3}, std::nanf(""), gpu.options().requires_grad(false));
    EXPECT_NE(on_gpu.step(9), "");
  }
}

}  // namespace
}  // namespace ptl
