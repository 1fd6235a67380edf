// From pixels to points, pose and camera: against float64 finite differences, and the same bits whatever the driver.
#include "tests/kernels/structure_case.h"
#include "tests/kernels/wide_views.h"

namespace ptl::test {
namespace {

/// Entries that stand for those of an image, some points without.
std::vector<StructureEntry> some_entries(const RenderedImage& image) {
  std::vector<StructureEntry> entries;
  for (size_t i = 0; i < image.projected.size(); ++i) {
    const uint32_t point = image.projected[i].point;
    if (point % 4 == 0) continue;
    entries.push_back({static_cast<uint32_t>(i),
                       {draw_unit(3, DrawPurpose::synthetic, 7, point) - 0.5f,
                        draw_unit(3, DrawPurpose::synthetic, 8, point) - 0.5f, static_cast<int32_t>(point % 4)}});
  }
  return entries;
}

struct Chain {
  StructureSums sums;
  std::vector<int64_t> rows;
  std::vector<float> grad_position;  ///< [rows, 3]
};

Chain chain(RasterScene& scene, const RasterView& view, const RenderedImage& image,
            const std::vector<StructureEntry>& entries, int threads) {
  omp_set_num_threads(threads);
  HeapScratch scratch;
  const Device device{DeviceType::cpu, nullptr, &scratch};
  const auto count = static_cast<int64_t>(entries.size());
  Guarded<float> grad_position(3 * count);
  Guarded<int64_t> rows(count);
  Chain result;
  result.sums = structure_chain(device, scene.view(), view, image.projected.data(), entries.data(), count, rows.data(),
                                grad_position.data());
  EXPECT_TRUE(grad_position.intact() && rows.intact());
  result.rows = rows.values();
  result.grad_position = grad_position.values();
  return result;
}

// Σ gradient · pixel as a function of the pose, the camera and the points, differentiated in float64.
void expect_derivatives(RasterScene scene, const RasterView& view, const std::string& seed, int64_t least_terms,
                        double rounding) {
  RasterConfig config;
  const RenderedImage image = render(scene, view, config);
  const std::vector<StructureEntry> entries = some_entries(image);
  const Chain found = chain(scene, view, image, entries, 2);

  const auto landing = [&](const RasterView& at, const CameraParams<double>& camera, const ProjectedPoint& p,
                           const Vec3<double>& moved) {
    const float* x = scene.position.data() + 3 * p.point;
    const auto projection = project(camera, at.camera_from_world * (Vec3<double>(x[0], x[1], x[2]) + moved));
    return apply_crop(at.crop, Vec2<double>(projection.x_px, projection.y_px));
  };
  // The derivative between two settings, and the sum of its terms' magnitudes: what floats may round away is a share
  // of that.
  struct Derivative {
    double value = 0, magnitude = 0;
  };
  const auto derivative = [&](const RasterView& view_plus, const CameraParams<double>& plus,
                              const RasterView& view_minus, const CameraParams<double>& minus, double step) {
    Derivative result;
    for (const StructureEntry& entry : entries) {
      const ProjectedPoint& p = image.projected[entry.projected];
      const Vec2<double> d =
          (landing(view_plus, plus, p, Vec3<double>(0)) - landing(view_minus, minus, p, Vec3<double>(0))) /
          (2 * step);
      const double x = static_cast<double>(entry.gradient.x) * d.x, y = static_cast<double>(entry.gradient.y) * d.y;
      result.value += x + y;
      result.magnitude += std::abs(x) + std::abs(y);
    }
    return result;
  };
  const auto camera = camera_cast<double>(view.camera);
  for (int k = 0; k < 6; ++k) {
    const double step = 1e-6;
    Tangent<double> xi;
    (k < 3 ? xi.translation[k] : xi.rotation[k - 3]) = step;
    RasterView plus = view, minus = view;
    plus.camera_from_world = exp(xi) * view.camera_from_world;
    minus.camera_from_world = inverse(exp(xi)) * view.camera_from_world;
    const Derivative expected = derivative(plus, camera, minus, camera, step);
    EXPECT_GT(expected.magnitude, 0);
    EXPECT_NEAR(found.sums.pose[k], expected.value, rounding * expected.magnitude)
        << "seed " << seed << " component " << k;
  }
  const CameraTable& table = camera_table(view.camera.model);
  for (int k = 0; k < camera_param_capacity; ++k) {
    const double step = 1e-7;  // no more: high powers of a wide angle move pixels far
    CameraParams<double> plus = camera, minus = camera;
    plus.value[k] += step;
    minus.value[k] -= step;
    const Derivative expected = derivative(view, plus, view, minus, step);
    const bool moves_pixels = view.camera.model != CameraModel::ocam || k != OcamModel::cutoff;
    EXPECT_EQ(expected.magnitude > 0, k < table.param_count && moves_pixels) << "seed " << seed << " parameter " << k;
    EXPECT_NEAR(found.sums.camera[k], expected.value, rounding * expected.magnitude)
        << "seed " << seed << " parameter " << k;
  }
  int64_t terms = 0;
  ASSERT_EQ(found.rows.size(), entries.size());
  for (size_t k = 0; k < entries.size(); ++k) {
    const ProjectedPoint& p = image.projected[entries[k].projected];
    const PixelGradient& gradient = entries[k].gradient;
    terms += gradient.terms;
    ASSERT_EQ(found.rows[k], static_cast<int64_t>(p.point));
    for (int axis = 0; axis < 3 && k % 7 == 0; ++axis) {
      const double step = 1e-6;
      Vec3<double> moved(0);
      moved[axis] = step;
      const Vec2<double> d = (landing(view, camera, p, moved) - landing(view, camera, p, -moved)) / (2 * step);
      const double expected =
          (static_cast<double>(gradient.x) * d.x + static_cast<double>(gradient.y) * d.y) / gradient.terms;
      ASSERT_NEAR(found.grad_position[3 * k + static_cast<size_t>(axis)], expected, 1e-4 * (1 + std::abs(expected)));
    }
  }
  EXPECT_EQ(found.sums.terms, terms);
  EXPECT_GT(terms, least_terms) << seed;
}

TEST(StructureChain, AgainstFiniteDifferencesOfTheProjection) {
  for (uint64_t seed = 1; seed <= 6; ++seed)
    expect_derivatives(random_scene(seed, 4000, 1), random_view(seed, RasterConfig{}.layers), std::to_string(seed), 300,
                       2e-6);
}

TEST(StructureChain, OfEveryWideModelToo) {
  for (const auto& [name, camera] : wide_cameras())
    for (const uint64_t seed : {3, 5, 6})
      expect_derivatives(scene_around(seed, 4000, 1), random_wide_view(seed, camera, RasterConfig{}.layers),
                         name + ", " + std::to_string(seed), 20, 4e-6);
}

bool same_chain(const Chain& a, const Chain& b) {
  return std::memcmp(&a.sums, &b.sums, sizeof a.sums) == 0 && a.rows == b.rows &&
         same_bits(a.grad_position, b.grad_position);
}

TEST(StructureChain, SameBitsForAnyThreadsAndBothDrivers) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    RasterConfig config;
    config.dropout = 0.25f;
    RasterScene scene = random_scene(seed, 20000, 4);
    const RasterView view = random_view(seed, config.layers);
    const RenderedImage tiled = render(scene, view, config), sorted = render(scene, view, config, RasterDriver::sorted);
    const std::vector<float> grad(tiled.features.size(), 0.25f);
    const auto all = [&](const RenderedImage& image, bool by_tile, int threads) {
      const StructureImage input = structure_input(scene, image, image.features, grad, config.depth_tolerance);
      return chain(scene, view, image, entries_of(input, image.projected.size(), threads, by_tile), threads);
    };
    const Chain once = all(tiled, true, 1);
    EXPECT_GT(once.sums.terms, 300);
    EXPECT_NE(once.sums.pose[0], 0);
    EXPECT_TRUE(same_chain(once, all(tiled, true, 2)));
    EXPECT_TRUE(same_chain(once, all(sorted, false, 2)));
    EXPECT_TRUE(same_chain(once, all(tiled, false, 2)));
  }
}

TEST(StructureChain, NoEntriesGiveZeros) {
  RasterScene scene;
  scene.add(0, 0, -1, 1);
  const RasterView view = simple_view(64, 32, 20);
  const Chain found = chain(scene, view, render(scene, view, {}), {}, 2);
  EXPECT_EQ(found.sums.terms, 0);
  EXPECT_EQ(found.sums.pose[0], 0);
}

}  // namespace
}  // namespace ptl::test
