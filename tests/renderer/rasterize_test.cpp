// The operator around stages 1 to 3: values, gradient by autograd, views, errors. The stages' own tests: tests/kernels.
#include "renderer/rasterize.h"

#include <gtest/gtest.h>

#include <string>

#include "kernels/blend.h"
#include "kernels/point_blocks.h"

namespace ptl {
namespace {

using torch::Tensor;

struct Setting {
  PointTensors points;
  CameraParams<double> camera;
  Pose<double> pose;
  Crop crop;
  RasterConfig config;
};

Setting setting(int64_t count = 3000) {
  Setting s;
  torch::manual_seed(3);
  s.points.position = torch::rand({count, 3}) * torch::tensor({4.0f, 4.0f, 0.2f}) + torch::tensor({-2.0f, -2.0f, 3.0f});
  s.points.radius_over_sqrt_u = std::get<0>(torch::sort(torch::rand({count}) * 0.2 + 0.01, 0, true));
  s.points.id = torch::arange(count);
  s.points.block_bounds = torch::empty({(count + 255) / 256, 6});
  compute_block_bounds(Device{}, s.points.position.const_data_ptr<float>(), count, s.points.block_bounds.data_ptr<float>());
  s.camera.width_px = 48;
  s.camera.height_px = 32;
  s.camera.value[PinholeModel::fx] = s.camera.value[PinholeModel::fy] = 40;
  s.camera.value[PinholeModel::cx] = 24;
  s.camera.value[PinholeModel::cy] = 16;
  s.crop = whole_photo(s.camera);
  s.config.layers = 3;
  return s;
}

Pyramid run(const Setting& s, const Tensor& descriptors, RasterDriver driver = RasterDriver::automatic) {
  return rasterize(s.points, descriptors, s.camera, s.pose, s.crop, s.config, driver);
}

std::string error_of(const Setting& s, const Tensor& descriptors) {
  try {
    run(s, descriptors);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

TEST(Rasterize, ShapesViewsAndDrivers) {
  const Setting s = setting();
  const Tensor descriptors = torch::rand({3000, 5});
  const Tensor before = descriptors.clone(), position_before = s.points.position.clone();
  const Pyramid tiles = run(s, descriptors, RasterDriver::tiles), sorted = run(s, descriptors, RasterDriver::sorted);
  const int64_t pixels = 48 * 32 + 24 * 16 + 12 * 8;
  EXPECT_EQ(tiles.features.sizes(), (std::vector<int64_t>{pixels, 5}));
  EXPECT_EQ(tiles.weight.scalar_type(), torch::kInt);
  EXPECT_GT(tiles.weight.max().item<int>(), 1);
  EXPECT_TRUE(torch::equal(tiles.features, sorted.features));
  EXPECT_TRUE(torch::equal(tiles.weight, sorted.weight));
  EXPECT_TRUE(torch::equal(tiles.min_depth_m, sorted.min_depth_m));
  EXPECT_TRUE(torch::equal(descriptors, before));
  EXPECT_TRUE(torch::equal(s.points.position, position_before));
  const std::vector<Tensor> layers = split_layers(tiles.shape, tiles.features);
  ASSERT_EQ(layers.size(), 3u);
  EXPECT_EQ(layers[1].sizes(), (std::vector<int64_t>{1, 5, 16, 24}));
  EXPECT_TRUE(layers[1].is_contiguous(torch::MemoryFormat::ChannelsLast));
  EXPECT_EQ(layers[1][0][2][3][4].item<float>(), tiles.features[48 * 32 + 3 * 24 + 4][2].item<float>());
}

TEST(Rasterize, GradientThroughAutograd) {
  Setting s = setting();
  s.config.dropout = 0.25f;
  const Tensor descriptors = torch::rand({3000, 4}).requires_grad_();
  const Pyramid pyramid = run(s, descriptors);
  const Tensor weights = torch::randn_like(pyramid.features);
  EXPECT_FALSE(pyramid.min_depth_m.requires_grad());
  const Tensor rows = torch::autograd::grad({pyramid.features}, {descriptors}, {weights})[0];
  ASSERT_TRUE(rows.is_sparse());
  const Tensor gradient = rows.to_dense();
  // The blend is linear: L(d + h) − L(d) = <gradient, h> for any h, here in one random direction.
  const auto check = [&](const Tensor& candidate) {
    const Tensor direction = torch::randn({3000, 4});
    const Tensor moved = run(s, descriptors.detach() + direction).features;
    const double change = ((moved - pyramid.features.detach()).to(torch::kDouble) * weights).sum().item<double>();
    const double predicted = (candidate.to(torch::kDouble) * direction).sum().item<double>();
    return std::abs(change - predicted) / (1 + std::abs(change));
  };
  EXPECT_LT(check(gradient), 1e-4);
  EXPECT_GT(check(gradient * 1.05), 1e-3) << "the check must notice a wrong gradient";
  // The same point by point: a point that contributes nowhere has exactly 0.
  const Tensor used = (gradient != 0).any(1);
  EXPECT_GT(used.sum().item<int64_t>(), 100);
  EXPECT_LT(used.sum().item<int64_t>(), 3000);
}

TEST(Rasterize, TheOperatorIsRegistered) {
  const auto schema = c10::Dispatcher::singleton().findSchema({"ptl::rasterize", ""});
  ASSERT_TRUE(schema.has_value());
  EXPECT_FALSE(schema->schema().is_mutable());
  EXPECT_TRUE(c10::Dispatcher::singleton().findSchema({"ptl::rasterize_backward", ""}).has_value());
}

TEST(Rasterize, ErrorsNameWhatIsWrong) {
  const Setting good = setting();
  const Tensor descriptors = torch::rand({3000, 4});
  EXPECT_EQ(error_of(good, descriptors), "");
  EXPECT_NE(error_of(good, torch::rand({3000, 17})).find("descriptors"), std::string::npos);
  EXPECT_NE(error_of(good, descriptors.to(torch::kDouble)).find("descriptors"), std::string::npos);
  EXPECT_NE(error_of(good, torch::rand({4, 3000}).t()).find("contiguous"), std::string::npos);
  Setting s = good;
  s.points.position = s.points.position.slice(0, 0, 2999);
  EXPECT_NE(error_of(s, descriptors).find("position: expected"), std::string::npos);
  s = good;
  s.points.id = s.points.id.to(torch::kInt);
  EXPECT_NE(error_of(s, descriptors).find("id: expected"), std::string::npos);
  s = good;
  s.points.block_bounds = torch::zeros({3, 6});
  EXPECT_NE(error_of(s, descriptors).find("block_bounds"), std::string::npos);
  s = good;
  s.crop.width_px = 47;
  EXPECT_NE(error_of(s, descriptors).find("multiples of 4"), std::string::npos);
  s = good;
  s.points.position = s.points.position.to(torch::kMeta);
  EXPECT_NE(error_of(s, descriptors).find("device"), std::string::npos);
}

}  // namespace
}  // namespace ptl
