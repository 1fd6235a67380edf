#include "kernels/point_blocks.h"

#include "tests/reference/raster_reference.h"

namespace ptl::test {
namespace {

std::vector<uint32_t> visible_blocks(RasterScene& scene, const RasterView& view) {
  HeapScratch scratch;
  const PointsView points = scene.view();
  Guarded<uint32_t> visible(points.blocks());
  const int64_t count = find_visible_blocks({DeviceType::cpu, nullptr, &scratch}, points, view, visible.data());
  EXPECT_TRUE(visible.intact());
  return {visible.data(), visible.data() + count};
}

TEST(BlockBounds, ByHandWithAShortLastBlockAndPointsThatAreNotFinite) {
  std::vector<float> position;
  for (int i = 0; i < 300; ++i)
    position.insert(position.end(), {static_cast<float>(i), static_cast<float>(-i), 1.0f});
  position[3 * 7 + 1] = std::numeric_limits<float>::quiet_NaN();
  position[3 * 299 + 2] = std::numeric_limits<float>::infinity();
  Guarded<float> bounds(12);
  compute_block_bounds(Device{}, position.data(), 300, bounds.data());
  EXPECT_TRUE(bounds.intact());
  EXPECT_EQ(bounds.values(), (std::vector<float>{0, -255, 1, 255, 0, 1, 256, -298, 1, 298, -256, 1}));
  // Points of the second block move: the first one's bounds are not touched.
  position[3 * 260] = -5;
  position[0] = 1000;
  const int64_t second = 1;
  update_block_bounds(Device{}, position.data(), 300, &second, 1, bounds.data());
  EXPECT_TRUE(bounds.intact());
  EXPECT_EQ(bounds.values(), (std::vector<float>{0, -255, 1, 255, 0, 1, -5, -298, 1, 298, -256, 1}));
}

TEST(FrustumBounds, ByHandWithoutDistortion) {
  RasterView view = simple_view(100, 50, 100);
  const FrustumBounds f = frustum_bounds(view);
  // Half a width and the pixel beside it is 0.51, half a height 0.26; the margin is 2 % of 1.02 and of 0.52.
  EXPECT_NEAR(f.low_x, -0.51 - 0.0204, 1e-6);
  EXPECT_NEAR(f.high_x, 0.51 + 0.0204, 1e-6);
  EXPECT_NEAR(f.low_y, -0.26 - 0.0104, 1e-6);
  EXPECT_NEAR(f.high_y, 0.26 + 0.0104, 1e-6);
}

TEST(FrustumBounds, WhereTheCropReachesBeyondTheValidRadiusThatRadiusBounds) {
  RasterView view = simple_view(100, 50, 30);
  view.camera.value[PinholeModel::k1] = -0.4f;  // r (1 − 0.4 r²) falls from r = 0.913 on
  update_valid_radius(view.camera);
  ASSERT_NEAR(view.camera.valid_radius, std::sqrt(1 / 1.2), 1e-4);
  const FrustumBounds f = frustum_bounds(view);
  EXPECT_NEAR(f.high_x, 1.001 * view.camera.valid_radius, 1e-4);
  EXPECT_NEAR(f.low_y, -1.001 * view.camera.valid_radius, 1e-4);
}

TEST(VisibleBlocks, NeverLosesAPoint) {
  omp_set_num_threads(1);
  int64_t drawn = 0, tested = 0, culled = 0;
  for (uint64_t seed = 0; seed < 120; ++seed) {
    const auto draw = [&](uint64_t a, uint64_t b = 0) {
      return draw_unit(seed, DrawPurpose::synthetic, 77, a, b) - 0.5f;
    };
    // Boxes of all sizes, from flat to large, anywhere, also across the camera's plane; all far from the origin in every
    // third scene.
    const RasterView base = random_view(seed, 4);
    RasterView view = base;
    const float far = seed % 3 == 2 ? 1000.0f : 0.0f;
    RasterScene scene;
    scene.channels = 1;
    for (uint64_t b = 0; b < 40; ++b) {
      const float size = std::pow(10.0f, 2.0f * draw(b, 1) - 0.5f);
      const Vec3<float> centre(5 * draw(b, 2) + far, 5 * draw(b, 3), 4 * draw(b, 4) + 2);
      for (uint64_t i = 0; i < points_per_block; ++i)
        scene.add(centre.x + size * draw(b, 10 + 3 * i), centre.y + size * draw(b, 11 + 3 * i),
                  centre.z + size * draw(b, 12 + 3 * i), 1e6f);
    }
    view.camera_from_world.translation -= view.camera_from_world.rotation * Vec3<double>(far, 0, 0);
    std::vector<char> is_visible(40, 0);
    for (const uint32_t b : visible_blocks(scene, view)) is_visible[b] = 1;
    culled += std::count(is_visible.begin(), is_visible.end(), 0);
    RasterConfig config;
    for (int64_t i = 0; i < scene.count(); ++i) {
      ++tested;
      const ReferencePoint p = reference_project(scene, i, view, config);
      if (!p.drawn) continue;
      ++drawn;
      ASSERT_TRUE(is_visible[static_cast<size_t>(i / points_per_block)])
          << "seed " << seed << " block " << i / points_per_block << " pixel " << p.x << ", " << p.y;
    }
    // And what the kernel itself draws of the culled blocks.
    HeapScratch scratch;
    const Device device{DeviceType::cpu, nullptr, &scratch};
    std::vector<uint32_t> rest;
    for (uint32_t b = 0; b < 40; ++b)
      if (!is_visible[b]) rest.push_back(b);
    Guarded<ProjectedPoint> out(static_cast<int64_t>(rest.size()) * points_per_block);
    EXPECT_EQ(project_points(device, scene.view(), view, config, rest.data(), static_cast<int64_t>(rest.size()),
                             out.data()), 0) << "seed " << seed;
  }
  EXPECT_GT(drawn, tested / 50);
  EXPECT_GT(culled, 120 * 40 / 4);
}

TEST(VisibleBlocks, ASmallCropSeesFewBlocks) {
  // A wall of 40 × 40 blocks that fills a photo of 1000 × 1000.
  RasterScene scene;
  scene.channels = 1;
  for (int b = 0; b < 1600; ++b)
    for (int i = 0; i < points_per_block; ++i)
      scene.add(static_cast<float>(b % 40 * 16 + i % 16) / 640 - 0.5f, static_cast<float>(b / 40 * 16 + i / 16) / 640 - 0.5f,
                1, 1);
  RasterView view = simple_view(1000, 1000, 1000);
  EXPECT_EQ(visible_blocks(scene, view).size(), 1600u);
  view.crop.width_px = view.crop.height_px = 104;  // about 1 % of the photo
  view.crop.offset_x_px = view.crop.offset_y_px = 448;
  const std::vector<uint32_t> visible = visible_blocks(scene, view);
  EXPECT_TRUE(std::is_sorted(visible.begin(), visible.end()));
  EXPECT_GE(visible.size(), 16u);
  EXPECT_LE(visible.size(), 36u);
  view.camera_from_world.rotation = exp(Tangent<double>{{0, 0, 0}, {0, 3.14159, 0}}).rotation;
  EXPECT_TRUE(visible_blocks(scene, view).empty());
}

TEST(VisibleBlocks, ABlockWithoutFinitePointsIsNotSeen) {
  RasterScene scene;
  for (int i = 0; i < 5; ++i) scene.add(0, 0, std::numeric_limits<float>::quiet_NaN(), 1);
  EXPECT_TRUE(visible_blocks(scene, simple_view(16, 16, 10)).empty());
}

}  // namespace
}  // namespace ptl::test
