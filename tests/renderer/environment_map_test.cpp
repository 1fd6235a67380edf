#include "renderer/environment_map.h"

#include <gtest/gtest.h>

#include "datasets/error.h"
#include "tests/support/gradcheck.h"
#include "tests/support/torch_gpu.h"

namespace ptl {
namespace {

using testing::gradcheck;
using testing::test_values;

EnvironmentView<double> some_view() {
  EnvironmentView<double> view;
  view.camera.width_px = 16;
  view.camera.height_px = 12;
  const double params[] = {9, 9.5, 8, 6, 0, -0.05, 0.01};
  for (int i = 0; i < 7; ++i) view.camera.value[i] = params[i];
  update_valid_radius(view.camera);
  view.world_from_camera = exp(Tangent<double>{{0, 0, 0}, {0.2, 3.0, 0.1}}).rotation;
  view.crop = {0.8f, 1.0f, 0.5f, 12, 8};
  view.layers = {{12, 8, 0}, {6, 4, 96}};
  return view;
}

torch::Tensor some_weight() { return torch::arange(120, torch::kInt).remainder(3); }

TEST(EnvironmentMap, GradientsAgainstFiniteDifferences) {
  const auto f = [](HoleFill holes, bool coverage) {
    return [holes, coverage](const std::vector<torch::Tensor>& in) {
      return fill_background(in[0], some_weight(), in[1], some_view(), holes, coverage);
    };
  };
  for (const HoleFill holes : {HoleFill::background, HoleFill::coarser})
    for (const bool coverage : {false, true}) {
      EXPECT_TRUE(gradcheck(f(holes, coverage), {test_values({120, 3}, 1), test_values({8, 16, 3}, 2)}));
      EXPECT_TRUE(gradcheck(f(holes, coverage), {test_values({120, 3}, 1), test_values({3}, 2)}));
    }
}

TEST(EnvironmentMap, HolesOfFinerLayersShowTheCoarserOne) {
  const torch::Tensor features = test_values({120, 3}, 1), map = test_values({8, 16, 3}, 2), weight = some_weight();
  const torch::Tensor plain = fill_background(features, weight, map, some_view(), HoleFill::background, true);
  const torch::Tensor filled = fill_background(features, weight, map, some_view(), HoleFill::coarser, true);
  const auto layer = [](const torch::Tensor& all, int first, int height, int width) {
    return all.narrow(0, first, height * width).view({1, height, width, all.size(1)}).permute({0, 3, 1, 2});
  };
  // The coarsest layer is as before; a finer hole is LibTorch's bilinear enlargement of it.
  EXPECT_TRUE(torch::equal(filled.narrow(0, 96, 24), plain.narrow(0, 96, 24)));
  const torch::Tensor enlarged = torch::upsample_bilinear2d(layer(filled, 96, 4, 6).narrow(1, 0, 3), {8, 12}, false);
  const torch::Tensor covered = layer(weight.unsqueeze(1), 0, 8, 12) > 0;
  const torch::Tensor expected = torch::where(covered, layer(features, 0, 8, 12), enlarged);
  EXPECT_TRUE(torch::allclose(layer(filled, 0, 8, 12).narrow(1, 0, 3), expected, 0, 1e-12));
  EXPECT_TRUE(torch::equal(filled.select(1, 3), plain.select(1, 3)));
  EnvironmentView<double> odd = some_view();
  odd.layers = {{12, 8, 0}, {5, 4, 96}};
  EXPECT_THROW(fill_background(features.narrow(0, 0, 116), weight.narrow(0, 0, 116), map, odd, HoleFill::coarser, false),
               c10::Error);
}

TEST(EnvironmentMap, InitialValuesStandOut) {
  EnvironmentMapOptions options;
  options.height = 4;
  options.width = 8;
  options.channels = 2;
  EnvironmentMap map(options);
  const auto features = torch::full({120, 2}, 0.5f);
  const auto out = map->forward(features, some_weight(), some_view(), HoleFill::background, true);
  EXPECT_EQ(out.size(1), 3);
  EXPECT_FLOAT_EQ(out[0][0].item<float>(), -1.0f);  // weight 0
  EXPECT_EQ(out[0][2].item<float>(), 0.0f);
  EXPECT_EQ(out[1][0].item<float>(), 0.5f);
  EXPECT_EQ(out[1][2].item<float>(), 1.0f);
  options.environment = false;
  options.log_descriptors = true;
  EnvironmentMap background(options);
  EXPECT_EQ(background->forward(features, some_weight(), some_view(), HoleFill::background)[0][1].item<float>(), -2.0f);
  EXPECT_TRUE(background->named_parameters().contains("background"));
}

TEST(EnvironmentMap, WrongArgumentsAreNamed) {
  const auto expect_error = [](const torch::Tensor& features, const torch::Tensor& weight, const torch::Tensor& map,
                               const char* part) {
    try {
      fill_background(features, weight, map, some_view(), HoleFill::background, false);
      FAIL() << part;
    } catch (const c10::Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  expect_error(torch::zeros({119, 2}), some_weight(), torch::zeros({2}), "features: expected [120, C]");
  expect_error(torch::zeros({120, 2}), some_weight().to(torch::kLong), torch::zeros({2}), "weight: expected [120]");
  expect_error(torch::zeros({120, 2}), some_weight(), torch::zeros({3}), "background: expected [H, W, 2]");
  expect_error(torch::zeros({120, 2}), some_weight(), torch::zeros({2}, torch::kDouble), "both float or both double");
  expect_error(torch::zeros({120, 2}), some_weight(), torch::zeros({2}, torch::kMeta), "on one device, found cpu");
  EnvironmentView<double> deep = some_view();
  while (deep.layers.size() < 11) deep.layers.push_back({0, 0, 120});
  try {
    fill_background(torch::zeros({120, 2}), some_weight(), torch::zeros({2}), deep, HoleFill::background, false);
    FAIL();
  } catch (const c10::Error& error) {
    EXPECT_NE(std::string(error.what()).find("at most 10 layers, found 11"), std::string::npos) << error.what();
  }
}

/// Output and both gradients of fill_background, on the CPU.
std::vector<torch::Tensor> forward_and_backward(const torch::Tensor& features, const torch::Tensor& background,
                                                torch::Device device) {
  const torch::Tensor f = features.to(device).detach().requires_grad_(true);
  const torch::Tensor b = background.to(device).detach().requires_grad_(true);
  const torch::Tensor output = fill_background(f, some_weight().to(device), b, some_view(), HoleFill::background, true);
  EXPECT_EQ(output.device().type(), device.type());
  output.backward(test_values(output.sizes(), 3).to(output.scalar_type()).to(device));
  EXPECT_EQ(b.grad().device().type(), device.type());
  const torch::Tensor grad = b.grad().to(torch::kCPU);
  return {output.detach().to(torch::kCPU), f.grad().to(torch::kCPU), grad.is_sparse() ? grad.to_dense() : grad};
}

// What exactly the GPU computes is tested in tests/kernels/; here, that tensors reach it and come back.
TEST(EnvironmentMap, OnAGpuAsOnTheCpu) {
  PTL_SKIP_WITHOUT_TORCH_GPU();
  const torch::Device device = torch::kCUDA;
  for (const auto type : {torch::kFloat, torch::kDouble})
    for (const auto& background : {test_values({8, 16, 3}, 2), test_values({3}, 2)}) {
      const torch::Tensor features = test_values({120, 3}, 1).to(type);
      const auto expected = forward_and_backward(features, background.to(type), torch::kCPU);
      const auto found = forward_and_backward(features, background.to(type), device);
      const auto again = forward_and_backward(features, background.to(type), device);
      // A texel's position differs by the last bits of atan2; about 10 pixels look at a texel.
      const double tolerance = type == torch::kFloat ? 1e-4 : 1e-12;
      for (size_t i = 0; i < expected.size(); ++i) {
        EXPECT_TRUE(torch::allclose(found[i], expected[i], 0, tolerance)) << i;
        EXPECT_TRUE(torch::equal(found[i], again[i])) << i;
      }
    }
  EnvironmentMapOptions options;
  options.height = 4;
  options.width = 8;
  EnvironmentMap map(options);
  map->to(device);
  EXPECT_EQ(map->texels.device().type(), device.type());
  EXPECT_TRUE(map->texels.is_leaf() && map->texels.requires_grad());
}

}  // namespace
}  // namespace ptl
