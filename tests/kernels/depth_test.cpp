#include "kernels/depth.h"

#include "tests/reference/raster_reference.h"

namespace ptl::test {
namespace {

TEST(Depth, ByHandOverTwoLayers) {
  RasterScene scene;
  scene.add(0.05f, 0.05f, 1, 0.1f);    // pixel (2, 2) of 4 × 4, footprint 1: layer 0 only
  scene.add(0.2f, 0.2f, 3, 3);         // pixel (2, 2), both layers
  scene.add(0.48f, 0.1f, 4, 4);        // pixel (3, 2), both layers; the same pixel of layer 1
  scene.add(-0.3f, -0.3f, 2, 2);       // pixel (0, 0), both layers
  RasterView view = simple_view(4, 4, 10);
  RasterConfig config;
  config.layers = 2;
  const float none = std::numeric_limits<float>::infinity();
  const std::vector<float> expected{2, none, none, none, none, none, none, none, none, none, 1, 4, none, none, none, none,
                                    2, none, none, 3};
  for (const RasterDriver driver : {RasterDriver::tiles, RasterDriver::sorted})
    EXPECT_EQ(render(scene, view, config, driver).min_depth_m, expected);
}

TEST(Depth, GhostsCount) {
  RasterScene scene;
  for (int i = 0; i < 64; ++i) scene.add(0.05f, 0.05f, 5.0f - 0.05f * static_cast<float>(i), 1);
  RasterConfig config;
  config.dropout = 0.99f;
  config.layers = 1;
  const RenderedImage image = render(scene, simple_view(4, 4, 10), config);
  EXPECT_EQ(image.projected.back().ghost, 1);
  EXPECT_EQ(image.min_depth_m[10], 5.0f - 0.05f * 63);
}

TEST(Depth, AgainstTheReferenceWithBothDriversAndAnyThreads) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    RasterConfig config;
    config.layers = 1 + static_cast<int>(seed % 5);
    RasterScene scene = random_scene(seed, 5000, 1);
    const RasterView view = random_view(seed, config.layers);
    remove_ambiguous(scene, view, config);
    const RenderedImage tiled = render(scene, view, config, RasterDriver::tiles, 1);
    const RenderedImage sorted = render(scene, view, config, RasterDriver::sorted, 2);
    EXPECT_TRUE(same_bits(tiled.min_depth_m, sorted.min_depth_m));
    EXPECT_TRUE(same_bits(tiled.min_depth_m, render(scene, view, config, RasterDriver::tiles, 2).min_depth_m));
    const ReferenceImage reference = reference_rasterize(scene, view, config);
    for (size_t i = 0; i < reference.min_depth_m.size(); ++i) {
      if (std::isinf(reference.min_depth_m[i]))
        ASSERT_TRUE(std::isinf(tiled.min_depth_m[i]) && tiled.min_depth_m[i] > 0) << "seed " << seed << " pixel " << i;
      else
        ASSERT_NEAR(tiled.min_depth_m[i], reference.min_depth_m[i], 2e-6 * (1 + reference.min_depth_m[i]));
    }
  }
}

}  // namespace
}  // namespace ptl::test
