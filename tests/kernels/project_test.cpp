#include "kernels/project.h"

#include "tests/reference/raster_reference.h"

namespace ptl::test {
namespace {

TEST(LayersOfFootprint, AtTheThresholdByHand) {
  EXPECT_EQ(layers_of_footprint(0.59999f, 0.6f, 4), 0);
  EXPECT_EQ(layers_of_footprint(0.6f, 0.6f, 4), 1);
  EXPECT_EQ(layers_of_footprint(1.19999f, 0.6f, 4), 1);
  EXPECT_EQ(layers_of_footprint(1.2f, 0.6f, 4), 2);
  EXPECT_EQ(layers_of_footprint(4.8f, 0.6f, 4), 4);
  EXPECT_EQ(layers_of_footprint(1e9f, 0.6f, 4), 4);
  EXPECT_EQ(layers_of_footprint(std::numeric_limits<float>::quiet_NaN(), 0.6f, 4), 0);
}

TEST(Project, PixelsDepthsAndLayersByHand) {
  RasterScene scene;
  scene.add(0.05f, 0.05f, 1, 1);         // pixel (8.5, 8.5); footprint 10: four layers
  scene.add(-1.6f, 1.59f, 2, 0.25f);     // pixel (0, 15.95); footprint 1.25: two layers
  scene.add(-1.61f, 0, 2, 1);            // x = −0.05: outside
  scene.add(1.6f, 0, 2, 1);              // x = 16: outside
  scene.add(0, 0, -1, 1);                // behind the camera
  scene.add(0, 0, 0, 1);                 // in its plane
  scene.add(0, std::numeric_limits<float>::quiet_NaN(), 1, 1);
  scene.add(0, 0, std::numeric_limits<float>::infinity(), 1);
  scene.add(0, 0, 2, 0.1f);              // footprint 0.5: on no layer
  scene.add(0, 0, 1, std::numeric_limits<float>::quiet_NaN());
  scene.add(0.05f, 0, 4, 0.25f);         // pixel (8.125, 8); footprint 0.625: one layer
  const RasterView view = simple_view(16, 16, 10);
  for (const RasterDriver driver : {RasterDriver::tiles, RasterDriver::sorted}) {
    const RenderedImage image = render(scene, view, RasterConfig{}, driver);
    ASSERT_EQ(image.projected.size(), 3u);
    const ProjectedPoint* p = image.projected.data();
    EXPECT_TRUE(p[0].point == 0 && p[0].x_px == 8 && p[0].y_px == 8 && p[0].layers == 4 && p[0].depth_m == 1);
    EXPECT_TRUE(p[1].point == 1 && p[1].x_px == 0 && p[1].y_px == 15 && p[1].layers == 2 && p[1].depth_m == 2);
    EXPECT_TRUE(p[2].point == 10 && p[2].x_px == 8 && p[2].y_px == 8 && p[2].layers == 1 && p[2].depth_m == 4);
    EXPECT_TRUE(p[0].ghost == 0 && p[1].ghost == 0 && p[2].ghost == 0);
  }
}

TEST(Project, APointAtTheThresholdIsDrawn) {
  // All numbers here are exact in binary: footprints 8 r / 2 of 0.5, 1 and 2 px, and the next smaller ones.
  RasterConfig config;
  config.footprint_threshold_px = 0.5f;
  for (const float r : {0.125f, 0.25f, 0.5f}) {
    RasterScene scene;
    scene.add(0, 0, 2, r);
    scene.add(0, 0, 2, std::nextafter(r, 0.0f));
    const RenderedImage image = render(scene, simple_view(16, 16, 8), config);
    const int layers = r == 0.125f ? 1 : r == 0.25f ? 2 : 3;
    ASSERT_EQ(image.projected.size(), layers == 1 ? 1u : 2u);
    EXPECT_EQ(image.projected[0].layers, layers);
    if (layers > 1) {
      EXPECT_EQ(image.projected[1].layers, layers - 1);
    }
  }
}

TEST(Project, CropsMoveAndZoomTheFootprintToo) {
  RasterScene scene;
  scene.add(0.05f, 0.05f, 1, 0.05f);  // photo: pixel 8.5, footprint 0.5, not drawn; zoom 1.5: pixel 12.75, footprint 0.75
  RasterView view = simple_view(16, 16, 10);
  RasterConfig config;
  config.layers = 1;
  EXPECT_TRUE(render(scene, view, config).projected.empty());
  view.crop.zoom = 1.5f;
  view.crop.offset_x_px = 10;
  view.crop.offset_y_px = 12;
  view.crop.width_px = view.crop.height_px = 4;
  const RenderedImage image = render(scene, view, config);
  ASSERT_EQ(image.projected.size(), 1u);
  EXPECT_EQ(image.projected[0].x_px, 2);
  EXPECT_EQ(image.projected[0].y_px, 0);
}

TEST(Project, BackfacesAreCulledOnlyWhenAsked) {
  RasterScene scene;
  for (const float nz : {-1.0f, 1.0f}) {
    scene.add(0, 0, 2, 1);
    scene.normal.insert(scene.normal.end(), {0, 0, nz});
  }
  RasterConfig config;
  const RasterView view = simple_view(16, 16, 10);
  EXPECT_EQ(render(scene, view, config).projected.size(), 2u);
  config.cull_backfaces = true;
  const RenderedImage image = render(scene, view, config);
  ASSERT_EQ(image.projected.size(), 1u);
  EXPECT_EQ(image.projected[0].point, 0u);  // the normal that looks at the camera
  scene.normal.clear();
  EXPECT_EQ(render(scene, view, config).projected.size(), 2u);
}

TEST(Project, DropoutIsTheNamedDrawOfThePointsId) {
  RasterScene scene = random_scene(5, 2000, 1);
  const RasterView view = random_view(4, 4);
  RasterConfig config;
  config.dropout = 0.25f;
  config.seed = 3;
  config.step = 17;
  config.image_id = 5;
  config.crop_index = 2;
  const RenderedImage image = render(scene, view, config);
  int ghosts = 0;
  for (const ProjectedPoint& p : image.projected) {
    EXPECT_EQ(p.ghost, draw_unit(3, DrawPurpose::dropout, 17, 5, 2, static_cast<uint64_t>(scene.id[p.point])) <= 0.25f);
    ghosts += p.ghost;
  }
  EXPECT_NEAR(ghosts / static_cast<double>(image.projected.size()), 0.25, 0.05);
  config.step = 18;
  const RenderedImage next = render(scene, view, config);
  ASSERT_EQ(next.projected.size(), image.projected.size());
  EXPECT_FALSE(same_bits(next.projected, image.projected));
}

TEST(Project, EveryPointOfTheReferenceAndNoOther) {
  for (uint64_t seed = 0; seed < 24; ++seed) {
    RasterConfig config;
    config.layers = 1 + static_cast<int>(seed % 6);
    config.cull_backfaces = seed % 4 == 1;
    RasterScene scene = random_scene(seed, 3000 + static_cast<int64_t>(seed) * 13, 1);
    const RasterView view = random_view(seed, config.layers);
    remove_ambiguous(scene, view, config);
    RenderedImage sorted = render(scene, view, config, RasterDriver::sorted);
    RenderedImage tiled = render(scene, view, config, RasterDriver::tiles);
    size_t next = 0;
    for (int64_t i = 0; i < scene.count(); ++i) {
      const ReferencePoint expected = reference_project(scene, i, view, config);
      if (!expected.drawn) continue;
      ASSERT_LT(next, sorted.projected.size());
      const ProjectedPoint& p = sorted.projected[next++];  // in the order of the points
      ASSERT_EQ(p.point, i);
      ASSERT_EQ(p.x_px, std::floor(expected.x));
      ASSERT_EQ(p.y_px, std::floor(expected.y));
      ASSERT_EQ(p.layers, expected.layers);
      ASSERT_NEAR(p.depth_m, expected.depth, 2e-6 * (1 + expected.depth));
    }
    ASSERT_EQ(next, sorted.projected.size());
    EXPECT_GT(next, 100u) << "seed " << seed;
    // The other driver: the same, grouped by tile, each tile in the order of the points.
    const TileGrid grid = tile_grid(sorted.shape);
    const auto tile = [&](const ProjectedPoint& p) { return p.y_px / grid.tile_px * grid.columns + p.x_px / grid.tile_px; };
    std::stable_sort(sorted.projected.begin(), sorted.projected.end(),
                     [&](const auto& a, const auto& b) { return tile(a) < tile(b); });
    EXPECT_TRUE(same_bits(sorted.projected, tiled.projected));
  }
}

TEST(Project, TheNumberOfThreadsChangesNothing) {
  RasterScene scene = random_scene(1, 20000, 1);
  const RasterView view = random_view(2, 4);
  for (const RasterDriver driver : {RasterDriver::tiles, RasterDriver::sorted})
    EXPECT_TRUE(same_bits(render(scene, view, {}, driver, 1).projected, render(scene, view, {}, driver, 2).projected));
}

TEST(TileGrid, TilesHoldWholePixelsOfEveryLayer) {
  for (int layers = 1; layers <= max_pyramid_layers; ++layers) {
    const PyramidShape shape{1536, 512, layers};
    const TileGrid grid = tile_grid(shape);
    EXPECT_EQ(grid.tile_px % (1 << (layers - 1)), 0);
    EXPECT_EQ(grid.tile_px & (grid.tile_px - 1), 0);
    EXPECT_GE(grid.columns * grid.tile_px, shape.width_px);
    EXPECT_GE(grid.rows * grid.tile_px, shape.height_px);
  }
}

TEST(Config, RefusesWhatCannotBeRight) {
  const RasterView view = simple_view(64, 48, 10);
  const auto message = [](const RasterConfig& config, const RasterView& v) -> std::string {
    try {
      check_raster_config(config, v);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  RasterConfig config;
  EXPECT_EQ(message(config, view), "");
  config.layers = 11;
  EXPECT_EQ(message(config, view), "rasterise: layers is 11, expected 1 to 10");
  config.layers = 6;
  EXPECT_EQ(message(config, view), "rasterise: the image is 64 x 48 px, expected multiples of 32 for 6 layers");
  config = {};
  config.dropout = 1;
  EXPECT_EQ(message(config, view), "rasterise: dropout must be in [0, 1)");
  config = {};
  config.depth_tolerance = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(message(config, view), "rasterise: depth_tolerance must not be negative");
  config = {};
  config.footprint_threshold_px = -1;
  EXPECT_EQ(message(config, view), "rasterise: footprint_threshold_px must not be negative");
  config = {};
  RasterView wrong = view;
  wrong.crop.zoom = 0;
  EXPECT_EQ(message(config, wrong), "rasterise: the crop's zoom must be positive");
  wrong = view;
  wrong.crop.width_px = wrong.crop.height_px = 65528;
  EXPECT_EQ(message(config, wrong), "rasterise: the image is 65528 x 65528 px, expected at most 2^30 pixels");
  wrong.crop.width_px = 70000;
  EXPECT_EQ(message(config, wrong), "rasterise: the image is 70000 x 65528 px, expected 1 to 65535 on a side");
}

}  // namespace
}  // namespace ptl::test
