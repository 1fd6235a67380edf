// Blocks and stage 1 through cameras that see further than a pinhole.
#include "kernels/view_cone.h"
#include "tests/kernels/wide_views.h"

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

TEST(WideVisibleBlocks, NeverLosesAPoint) {
  omp_set_num_threads(1);
  for (const auto& [name, camera] : wide_cameras()) {
    int64_t drawn = 0, blocks = 0, culled = 0;
    for (uint64_t seed = 0; seed < 90; ++seed) {
      const auto draw = [&](uint64_t a, uint64_t b = 0) {
        return draw_unit(seed, DrawPurpose::synthetic, 78, a, b) - 0.5f;
      };
      // Boxes of all sizes on all sides, some around the camera; all far from the origin in every fourth scene.
      RasterView view = random_wide_view(seed, camera, 1);
      const float far = seed % 4 == 3 ? 1000.0f : 0.0f;
      RasterScene scene;
      scene.channels = 1;
      for (uint64_t b = 0; b < 30; ++b) {
        const float size = std::pow(10.0f, 2.0f * draw(b, 1) - 1.0f);
        const Vec3<float> centre(6 * draw(b, 2) + far, 6 * draw(b, 3), 6 * draw(b, 4));
        for (uint64_t i = 0; i < points_per_block; ++i)
          scene.add(centre.x + size * draw(b, 10 + 3 * i), centre.y + size * draw(b, 11 + 3 * i),
                    centre.z + size * draw(b, 12 + 3 * i), 1e6f);
      }
      view.camera_from_world.translation -= view.camera_from_world.rotation * Vec3<double>(far, 0, 0);
      std::vector<char> is_visible(30, 0);
      for (const uint32_t b : visible_blocks(scene, view)) is_visible[b] = 1;
      blocks += 30;
      culled += std::count(is_visible.begin(), is_visible.end(), 0);
      RasterConfig config;
      config.layers = 1;
      HeapScratch scratch;
      const Device device{DeviceType::cpu, nullptr, &scratch};
      std::vector<uint32_t> all(30), rest;
      for (uint32_t b = 0; b < 30; ++b) {
        all[b] = b;
        if (!is_visible[b]) rest.push_back(b);
      }
      const PointsView points = scene.view();
      Guarded<ProjectedPoint> out(30 * points_per_block);
      drawn += project_points(device, points, view, config, all.data(), 30, out.data());
      ASSERT_EQ(
          project_points(device, points, view, config, rest.data(), static_cast<int64_t>(rest.size()), out.data()), 0)
          << name << ", seed " << seed;
    }
    EXPECT_GT(drawn, 90 * 30 * 5) << name;
    EXPECT_GT(culled, blocks / 4) << name;
  }
}

// Directions themselves, densely: every one that lands in the crop is within the cone, and the cone is not much wider.
TEST(ViewCone, HoldsWhatTheCropSees) {
  for (const auto& [name, camera] : wide_cameras()) {
    int tight = 0, tested = 0;
    for (uint64_t seed = 0; seed < 60; ++seed) {
      const RasterView view = random_wide_view(seed, camera, 1);
      const ViewCone cone = view_cone(view);
      double least = 2;
      for (int i = 0; i < 20000; ++i) {
        const Vec3<double> way = direction_on_sphere(i, 20000);
        const auto p = project(view.camera, Vec3<float>(way));
        Vec2<float> at = apply_crop(view.crop, Vec2<float>(p.x_px, p.y_px));
        if (wraps_x(view.camera.model)) {
          const float turn = view.crop.zoom * static_cast<float>(view.camera.width_px);
          at.x -= turn * std::floor(at.x / turn);
        }
        const bool inside = p.valid && at.x >= 0 && at.y >= 0 && at.x < static_cast<float>(view.crop.width_px) &&
                            at.y < static_cast<float>(view.crop.height_px);
        if (!inside) continue;
        const double along = cone.axis_x * way.x + cone.axis_y * way.y + cone.axis_z * way.z;
        least = std::min(least, along);
        ASSERT_TRUE(cone.everything || along >= static_cast<double>(cone.cosine)) << name << ", seed " << seed;
        ASSERT_TRUE(touches_cone(cone, Vec3<float>(way), 1e-6f));
      }
      if (least > 1 || cone.everything) continue;
      ++tested;
      tight += std::acos(static_cast<double>(cone.cosine)) < 1.25 * std::acos(least) + 0.12;
    }
    EXPECT_GT(tested, 10) << name;
    EXPECT_GT(tight, 8 * tested / 10) << name << ": " << tight << " of " << tested;
  }
}

TEST(WideVisibleBlocks, ASmallCropSeesFewBlocks) {
  // A sphere of 1600 blocks around the camera.
  RasterScene scene;
  scene.channels = 1;
  for (int b = 0; b < 1600; ++b) {
    const Vec3<double> way = direction_on_sphere(b, 1600);
    for (int i = 0; i < points_per_block; ++i)
      scene.add(static_cast<float>(way.x) + 0.03f * static_cast<float>(i % 16) / 16, static_cast<float>(way.y),
                static_cast<float>(way.z) + 0.03f * static_cast<float>(i / 16) / 16, 1);
  }
  for (const auto& [name, camera] : wide_cameras()) {
    RasterView view = random_wide_view(0, camera, 1);
    view.camera_from_world = {};
    view.crop = {1, 0.45f * static_cast<float>(camera.width_px), 0.45f * static_cast<float>(camera.height_px),
                 camera.width_px / 10, camera.height_px / 10};
    const size_t seen = visible_blocks(scene, view).size();
    EXPECT_GE(seen, 1u) << name;
    EXPECT_LE(seen, 80u) << name;
    view.crop.offset_x_px = -3e4f;  // left of all that the camera can see
    EXPECT_LE(visible_blocks(scene, view).size(), 80u) << name;
  }
}

TEST(WideProject, EveryPointOfTheReferenceAndNoOther) {
  int seeing_back = 0;
  for (const auto& [name, camera] : wide_cameras()) {
    size_t drawn = 0, behind = 0;
    for (uint64_t seed = 0; seed < 4; ++seed) {
      RasterConfig config;
      config.layers = 1 + static_cast<int>(seed % 5);
      config.cull_backfaces = seed % 4 == 1;
      RasterScene scene = scene_around(seed, 3000 + 13 * static_cast<int64_t>(seed), 1);
      const RasterView view = random_wide_view(seed, camera, config.layers);
      remove_ambiguous(scene, view, config);
      RenderedImage sorted = render(scene, view, config, RasterDriver::sorted);
      const RenderedImage tiled = render(scene, view, config, RasterDriver::tiles);
      size_t next = 0;
      for (int64_t i = 0; i < scene.count(); ++i) {
        const ReferencePoint expected = reference_project(scene, i, view, config);
        if (!expected.drawn) continue;
        ASSERT_LT(next, sorted.projected.size()) << name << ", seed " << seed;
        const ProjectedPoint& p = sorted.projected[next++];  // in the order of the points
        ASSERT_EQ(p.point, i) << name << ", seed " << seed;
        ASSERT_EQ(p.x_px, std::floor(expected.x)) << name;
        ASSERT_EQ(p.y_px, std::floor(expected.y)) << name;
        ASSERT_EQ(p.layers, expected.layers) << name;
        ASSERT_NEAR(p.depth_m, expected.depth, 2e-6 * (1 + expected.depth)) << name;
        const float* x = scene.position.data() + 3 * i;
        behind += (view.camera_from_world * Vec3<double>(x[0], x[1], x[2])).z < 0;
      }
      ASSERT_EQ(next, sorted.projected.size()) << name << ", seed " << seed;
      drawn += next;
      const TileGrid grid = tile_grid(sorted.shape);
      const auto tile = [&](const ProjectedPoint& p) {
        return p.y_px / grid.tile_px * grid.columns + p.x_px / grid.tile_px;
      };
      std::stable_sort(sorted.projected.begin(), sorted.projected.end(),
                       [&](const auto& a, const auto& b) { return tile(a) < tile(b); });
      EXPECT_TRUE(same_bits(sorted.projected, tiled.projected)) << name;
    }
    EXPECT_GT(drawn, 100u) << name;
    seeing_back += behind > 10;
  }
  EXPECT_GE(seeing_back, 9);
}

}  // namespace
}  // namespace ptl::test
