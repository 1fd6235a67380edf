#include "kernels/blend.h"

#include "tests/reference/raster_reference.h"

namespace ptl::test {
namespace {

constexpr RasterDriver both_drivers[] = {RasterDriver::tiles, RasterDriver::sorted};

/// 4 × 4 pixels with f = 10; (0.05 z, 0.05 z, z) falls into pixel (2, 2): number 10 of layer 0, 19 of layers 0 and 1.
RasterView small_view() { return simple_view(4, 4, 10); }

TEST(Blend, MeanOfThoseWithinTheToleranceByHand) {
  RasterScene scene;
  scene.channels = 3;
  scene.add(0.05f, 0.05f, 1, 10, 1);
  scene.add(0.05f, 0.05f, 1.0099f, 10, 4);  // within 1 % of the nearest
  scene.add(0.05f, 0.05f, 1.0101f, 10, 100);
  scene.add(0.05f, 0.05f, 3, 10, 100);
  scene.add(-0.3f, -0.3f, 2, 0.125f, 7);    // pixel (0, 0), footprint 0.625: layer 0 only
  RasterConfig config;
  config.layers = 2;
  for (const RasterDriver driver : both_drivers) {
    const RenderedImage image = render(scene, small_view(), config, driver);
    std::vector<int32_t> weight(20, 0);
    std::vector<float> features(60, 0.0f);
    const auto set = [&](size_t pixel, int32_t n, float first) {
      weight[pixel] = n;
      for (size_t c = 0; c < 3; ++c) features[3 * pixel + c] = first + static_cast<float>(c);
    };
    set(10, 2, 2.5f);
    set(19, 2, 2.5f);
    set(0, 1, 7);
    EXPECT_EQ(image.weight, weight);
    EXPECT_EQ(image.features, features);
  }
}

TEST(Blend, ALayerHasItsOwnNearestDepth) {
  RasterScene scene;
  scene.channels = 1;
  scene.add(0.05f, 0.05f, 1, 0.1f, 1);  // near, layer 0 only
  scene.add(0.1f, 0.1f, 2, 10, 5);      // hidden on layer 0, alone on layer 1
  RasterConfig config;
  config.layers = 2;
  for (const RasterDriver driver : both_drivers) {
    const RenderedImage image = render(scene, small_view(), config, driver);
    EXPECT_EQ(image.features[10], 1);
    EXPECT_EQ(image.features[19], 5);
  }
}

TEST(Blend, GhostsHideButDoNotShow) {
  RasterConfig config;
  config.layers = 1;
  config.dropout = 0.5f;
  RasterScene scene;
  scene.channels = 1;
  scene.add(0.05f, 0.05f, 1, 10, 1);
  scene.add(0.1f, 0.1f, 2, 10, 5);
  // A step in which the near point is dropped and the far one is not.
  const auto dropped = [&](size_t i) {
    return draw_unit(config.seed, DrawPurpose::dropout, config.step, 0, 0, static_cast<uint64_t>(scene.id[i])) <= 0.5f;
  };
  while (!(dropped(0) && !dropped(1))) ++config.step;
  for (const RasterDriver driver : both_drivers) {
    const RenderedImage image = render(scene, small_view(), config, driver);
    EXPECT_EQ(image.weight[10], 0);
    EXPECT_EQ(image.features[10], 0);
    EXPECT_EQ(image.min_depth_m[10], 1);
  }
}

TEST(Blend, EmptyViewsAreEmptyAndWhole) {
  RasterScene scene;
  scene.add(0, 0, -1, 1);
  RasterScene none;
  for (RasterScene* s : {&scene, &none})
    for (const RasterDriver driver : both_drivers) {
      const RenderedImage image = render(*s, simple_view(64, 32, 20), {}, driver);
      EXPECT_EQ(std::count(image.weight.begin(), image.weight.end(), 0), image.shape.pixels());
      EXPECT_EQ(std::count(image.features.begin(), image.features.end(), 0.0f), image.shape.pixels() * 4);
    }
}

TEST(Blend, AgainstTheReferenceForAllChannelCounts) {
  for (int channels = 1; channels <= max_channels; ++channels) {
    const auto seed = static_cast<uint64_t>(channels);
    RasterConfig config;
    config.layers = 1 + channels % 6;
    config.dropout = channels % 2 ? 0.25f : 0.0f;
    config.depth_tolerance = channels % 5 ? 0.01f : 0.0f;
    config.cull_backfaces = channels % 4 == 0;
    config.step = seed;
    RasterScene scene = random_scene(seed, 6000, channels);
    const RasterView view = random_view(seed, config.layers);
    remove_ambiguous(scene, view, config);
    const RenderedImage tiled = render(scene, view, config, RasterDriver::tiles, 2);
    const ReferenceImage reference = reference_rasterize(scene, view, config);
    int64_t compared = 0, covered = 0, several = 0;
    for (size_t pixel = 0; pixel < reference.weight.size(); ++pixel) {
      if (reference.ambiguous[pixel] || (config.depth_tolerance == 0 && reference.weight[pixel] > 1)) continue;
      ++compared;
      covered += reference.weight[pixel] > 0;
      several += reference.weight[pixel] > 1;
      ASSERT_EQ(tiled.weight[pixel], reference.weight[pixel]) << "channels " << channels << " pixel " << pixel;
      for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
        const size_t i = pixel * static_cast<size_t>(channels) + c;
        ASSERT_NEAR(tiled.features[i], reference.features[i], 1e-6);
      }
    }
    EXPECT_GT(compared, static_cast<int64_t>(reference.weight.size()) * 95 / 100);
    EXPECT_GT(covered, 200) << channels;
    if (config.depth_tolerance > 0) {
      EXPECT_GT(several, 20) << channels;
    }
    const RenderedImage sorted = render(scene, view, config, RasterDriver::sorted, 2);
    EXPECT_TRUE(same_bits(tiled.features, sorted.features));
    EXPECT_TRUE(same_bits(tiled.weight, sorted.weight));
    for (const RasterDriver driver : both_drivers) {
      const RenderedImage one_thread = render(scene, view, config, driver, 1);
      EXPECT_TRUE(same_bits(tiled.features, one_thread.features));
      EXPECT_TRUE(same_bits(tiled.weight, one_thread.weight));
    }
  }
}

TEST(Blend, DriversAgreeOnALargeCloud) {
  RasterScene scene = random_scene(9, 100000, 4, 0.5f);
  const RasterView view = random_view(8, 4);
  const RenderedImage tiled = render(scene, view, {}, RasterDriver::tiles, 2);
  const RenderedImage sorted = render(scene, view, {}, RasterDriver::sorted, 1);
  EXPECT_GT(*std::max_element(tiled.weight.begin(), tiled.weight.end()), 10);
  EXPECT_TRUE(same_bits(tiled.features, sorted.features));
  EXPECT_TRUE(same_bits(tiled.weight, sorted.weight));
}

/// By point; 0 for those that were not projected.
std::vector<float> backward(RasterScene& scene, const RenderedImage& image, const RasterConfig& config,
                            const std::vector<float>& grad_features, int threads) {
  omp_set_num_threads(threads);
  const auto count = static_cast<int64_t>(image.projected.size());
  const auto channels = static_cast<size_t>(scene.channels);
  Guarded<float> grad(count * scene.channels);
  blend_backward(Device{}, image.shape, image.projected.data(), count, image.min_depth_m.data(), config.depth_tolerance,
                 image.weight.data(), grad_features.data(), scene.channels, grad.data());
  EXPECT_TRUE(grad.intact());
  std::vector<float> by_point(static_cast<size_t>(scene.count()) * channels, 0.0f);
  for (size_t i = 0; i < image.projected.size(); ++i)
    std::copy_n(grad.data() + i * channels, channels, by_point.data() + image.projected[i].point * channels);
  return by_point;
}

TEST(BlendBackward, ByHand) {
  RasterScene scene;
  scene.channels = 1;
  scene.add(0.05f, 0.05f, 1, 10, 1);
  scene.add(0.05f, 0.05f, 1.005f, 0.1f, 4);  // layer 0 only
  scene.add(0.1f, 0.1f, 2, 10, 100);         // hidden
  RasterConfig config;
  config.layers = 2;
  const RenderedImage image = render(scene, small_view(), config);
  std::vector<float> grad_features(20, 1000.0f);
  grad_features[10] = 3;
  grad_features[19] = 5;
  EXPECT_EQ(backward(scene, image, config, grad_features, 1), (std::vector<float>{1.5f + 5, 1.5f, 0}));
}

/// The gradient of Σ weight · features² / 2 by the kernel, against finite differences of the reference and of the kernel.
TEST(BlendBackward, AgainstFiniteDifferencesForAllChannelCounts) {
  for (int channels = 1; channels <= max_channels; ++channels) {
    const auto seed = static_cast<uint64_t>(channels + 40);
    RasterConfig config;
    config.dropout = channels % 2 ? 0.25f : 0.0f;
    RasterScene scene = random_scene(seed, 1500, channels);
    const RasterView view = random_view(seed, config.layers);
    remove_ambiguous(scene, view, config);
    const RenderedImage image = render(scene, view, config, RasterDriver::tiles, 1);
    // Ambiguous pixels (depths at the tolerance) take no part.
    const ReferenceImage reference = reference_rasterize(scene, view, config);
    const auto n = static_cast<size_t>(channels);
    std::vector<double> factor(image.features.size());
    std::vector<float> grad_features(image.features.size());
    for (size_t i = 0; i < factor.size(); ++i) {
      factor[i] = reference.ambiguous[i / n] ? 0.0 : draw_unit(seed, DrawPurpose::synthetic, 5, i) - 0.5;
      grad_features[i] = static_cast<float>(factor[i]) * image.features[i];
    }
    const std::vector<float> grad = backward(scene, image, config, grad_features, 2);
    EXPECT_TRUE(same_bits(grad, backward(scene, image, config, grad_features, 1)));
    const auto loss = [&](const auto& features) {
      double sum = 0;
      for (size_t i = 0; i < factor.size(); ++i)
        sum += 0.5 * factor[i] * static_cast<double>(features[i]) * static_cast<double>(features[i]);
      return sum;
    };
    std::vector<double> descriptors(scene.descriptors.begin(), scene.descriptors.end());
    int checked = 0, not_zero = 0;
    for (size_t i = 0; i < descriptors.size() && checked < 8; i += 1 + descriptors.size() / 200) {
      if (grad[i] == 0.0f && checked % 4) continue;
      ++checked;
      not_zero += grad[i] != 0.0f;
      const double step = 1e-4, value = descriptors[i];
      descriptors[i] = value + step;
      const double above = loss(reference_rasterize(scene, view, config, &descriptors).features);
      descriptors[i] = value - step;
      const double below = loss(reference_rasterize(scene, view, config, &descriptors).features);
      descriptors[i] = value;
      ASSERT_NEAR(grad[i], (above - below) / (2 * step), 1e-5) << "channels " << channels << " number " << i;
      const float kept = scene.descriptors[i], kernel_step = 0.125f;
      scene.descriptors[i] = kept + kernel_step;
      const double kernel_above = loss(render(scene, view, config, RasterDriver::tiles, 1).features);
      scene.descriptors[i] = kept - kernel_step;
      const double kernel_below = loss(render(scene, view, config, RasterDriver::tiles, 1).features);
      scene.descriptors[i] = kept;
      ASSERT_NEAR(grad[i], (kernel_above - kernel_below) / (2 * kernel_step), 1e-5);  // quadratic: exact for any step
    }
    EXPECT_GE(not_zero, 3) << channels;
  }
}

}  // namespace
}  // namespace ptl::test
