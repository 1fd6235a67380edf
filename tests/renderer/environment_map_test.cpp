#include "renderer/environment_map.h"

#include <gtest/gtest.h>

#include "tests/support/gradcheck.h"

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
  const auto f = [](bool coverage) {
    return [coverage](const std::vector<torch::Tensor>& in) {
      return fill_background(in[0], some_weight(), in[1], some_view(), coverage);
    };
  };
  for (const bool coverage : {false, true}) {
    EXPECT_TRUE(gradcheck(f(coverage), {test_values({120, 3}, 1), test_values({8, 16, 3}, 2)}));
    EXPECT_TRUE(gradcheck(f(coverage), {test_values({120, 3}, 1), test_values({3}, 2)}));
  }
}

TEST(EnvironmentMap, InitialValuesStandOut) {
  EnvironmentMapOptions options;
  options.height = 4;
  options.width = 8;
  options.channels = 2;
  EnvironmentMap map(options);
  const auto features = torch::full({120, 2}, 0.5f);
  const auto out = map->forward(features, some_weight(), some_view(), true);
  EXPECT_EQ(out.size(1), 3);
  EXPECT_FLOAT_EQ(out[0][0].item<float>(), -1.0f);  // weight 0
  EXPECT_EQ(out[0][2].item<float>(), 0.0f);
  EXPECT_EQ(out[1][0].item<float>(), 0.5f);
  EXPECT_EQ(out[1][2].item<float>(), 1.0f);
  options.environment = false;
  options.log_descriptors = true;
  EnvironmentMap background(options);
  EXPECT_EQ(background->forward(features, some_weight(), some_view())[0][1].item<float>(), -2.0f);
  EXPECT_TRUE(background->named_parameters().contains("background"));
}

TEST(EnvironmentMap, WrongArgumentsAreNamed) {
  const auto expect_error = [](const torch::Tensor& features, const torch::Tensor& weight, const torch::Tensor& map,
                               const char* part) {
    try {
      fill_background(features, weight, map, some_view(), false);
      FAIL() << part;
    } catch (const c10::Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  expect_error(torch::zeros({119, 2}), some_weight(), torch::zeros({2}), "features: expected [120, C]");
  expect_error(torch::zeros({120, 2}), some_weight().to(torch::kLong), torch::zeros({2}), "weight: expected [120]");
  expect_error(torch::zeros({120, 2}), some_weight(), torch::zeros({3}), "background: expected [H, W, 2]");
  expect_error(torch::zeros({120, 2}), some_weight(), torch::zeros({2}, torch::kDouble), "both float or both double");
}

}  // namespace
}  // namespace ptl
