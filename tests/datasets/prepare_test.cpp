#include "datasets/prepare.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <set>

#include "datasets/prepare_morton.h"
#include "datasets/scene_info.h"
#include "datasets/scene_loader.h"
#include "tests/support/expect_input_error.h"

namespace ptl {
namespace {

using testing::expect_input_error;

double draw(uint64_t i, uint64_t n) { return draw_unit(5, DrawPurpose::synthetic, i, n); }

/// One camera at the origin that looks along z.
Scene scene_with(const std::vector<Vec3<float>>& points) {
  Scene scene;
  scene.cameras.emplace_back().id = 1;
  CameraParams<double>& camera = scene.cameras[0].params;
  camera.width_px = 960;
  camera.height_px = 480;
  camera.value[0] = camera.value[1] = 500;
  camera.value[2] = 480;
  camera.value[3] = 240;
  scene.images.emplace_back().camera_id = 1;
  scene.cloud.position = points;
  for (size_t i = 0; i < points.size(); ++i) scene.cloud.color.push_back({static_cast<uint8_t>(i), 0, 255});
  return scene;
}

std::vector<Vec3<float>> random_cloud(size_t count) {
  std::vector<Vec3<float>> points;
  for (size_t i = 0; i < count; ++i)
    points.emplace_back(draw(i, 0) * 4 - 2, draw(i, 1) * 4 - 2, 3 + 2 * draw(i, 2));
  return points;
}

TEST(Neighbours, AgreeWithBruteForce) {
  const std::vector<Vec3<float>> points = random_cloud(500), targets = random_cloud(20);
  for (const int k : {1, 4, 5}) {
    const std::vector<float> distance = kth_neighbour_distance(points, k);
    for (size_t i = 0; i < points.size(); ++i) {
      std::vector<double> all;
      for (size_t j = 0; j < points.size(); ++j)
        if (j != i) all.push_back(glm::length(Vec3<double>(points[i]) - Vec3<double>(points[j])));
      std::sort(all.begin(), all.end());
      EXPECT_NEAR(distance[i], all[static_cast<size_t>(k) - 1], 1e-6);
    }
  }
  std::vector<Vec3<float>> elsewhere;
  for (size_t i = 0; i < 100; ++i) elsewhere.emplace_back(draw(i, 7) * 3, draw(i, 8), draw(i, 9) * 5);
  const std::vector<uint32_t> nearest = nearest_target(elsewhere, targets);
  for (size_t i = 0; i < elsewhere.size(); ++i)
    for (const Vec3<float>& target : targets)
      EXPECT_LE(glm::length(elsewhere[i] - targets[nearest[i]]), glm::length(elsewhere[i] - target) + 1e-6f);
  // A line of three: fewer than k others gives the farthest; one point has none.
  EXPECT_EQ(kth_neighbour_distance({{0, 0, 0}, {1, 0, 0}, {3, 0, 0}}, 4), (std::vector<float>{3, 2, 3}));
  EXPECT_EQ(kth_neighbour_distance({{0, 0, 0}}, 4), (std::vector<float>{0}));
}

TEST(Morton, FollowsTheZCurve) {
  std::vector<Vec3<float>> corners;  // of a cube, in Z order: x changes first
  for (int i = 0; i < 8; ++i) corners.emplace_back(i & 1, i >> 1 & 1, i >> 2 & 1);
  EXPECT_EQ(prepare_morton_order(corners), (std::vector<uint32_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  std::reverse(corners.begin(), corners.end());
  EXPECT_EQ(prepare_morton_order(corners), (std::vector<uint32_t>{7, 6, 5, 4, 3, 2, 1, 0}));
  // On a line the curve is the line, however fine; equal points keep their order.
  EXPECT_EQ(prepare_morton_order({{3, 0, 0}, {1, 0, 0}, {1, 0, 0}, {1.00001f, 0, 0}, {0, 0, 0}}),
            (std::vector<uint32_t>{4, 1, 2, 3, 0}));
  EXPECT_EQ(prepare_morton_order({{2, 2, 2}, {2, 2, 2}}), (std::vector<uint32_t>{0, 1}));
}

void expect_well_formed(const PreparedPoints& points, uint64_t seed) {
  ASSERT_EQ(points.id.size(), points.size());
  ASSERT_EQ(points.radius.size(), points.size());
  ASSERT_EQ(points.color_srgb.size(), points.size());
  ASSERT_EQ(points.block_low.size(), points.blocks());
  for (size_t b = 0; b < points.blocks(); ++b) {
    Vec3<float> low(INFINITY), high(-INFINITY);
    for (size_t i = b * 256; i < std::min(points.size(), b * 256 + 256); ++i) {
      low = glm::min(low, points.position[i]);
      high = glm::max(high, points.position[i]);
      EXPECT_EQ(points.radius_over_sqrt_u[i], points.radius[i] / std::sqrt(footprint_u(seed, points.id[i])));
      if (i % 256 != 0) {
        EXPECT_LE(points.radius_over_sqrt_u[i], points.radius_over_sqrt_u[i - 1]);
      }
    }
    EXPECT_EQ(points.block_low[b], low);
    EXPECT_EQ(points.block_high[b], high);
  }
  EXPECT_EQ(std::set<uint64_t>(points.id.begin(), points.id.end()).size(), points.size());
}

TEST(Prepare, BlocksRadiiAndIds) {
  const Scene scene = scene_with(random_cloud(3000));
  PrepareOptions options;
  options.seed = 11;
  options.remove_isolated = false;
  const PreparedPoints points = prepare_points(scene, options);
  ASSERT_EQ(points.size(), 3000u);
  expect_well_formed(points, 11);
  const std::vector<float> radius = kth_neighbour_distance(scene.cloud.position, 4);
  double diagonal = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    EXPECT_EQ(points.position[i], scene.cloud.position[points.id[i]]);
    EXPECT_EQ(points.radius[i], radius[points.id[i]]);
    EXPECT_EQ(points.color_srgb[i].x, static_cast<float>(points.id[i] % 256) * (1.0f / 255.0f));
  }
  for (size_t b = 0; b < points.blocks(); ++b) diagonal += glm::length(points.block_high[b] - points.block_low[b]);
  // Morton order keeps blocks compact: 12 blocks of a 4 x 4 x 2 box of diagonal 6 (in file order each would have 6).
  EXPECT_LT(diagonal / static_cast<double>(points.blocks()), 4.5);
}

TEST(Prepare, DoesNotDependOnThreadsOrRepetition) {
  const Scene scene = scene_with(random_cloud(20000));
  PrepareOptions options;
  options.densify = 2;
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const PreparedPoints one = prepare_points(scene, options);
  omp_set_num_threads(3);
  const PreparedPoints three = prepare_points(scene, options);
  omp_set_num_threads(before);
  EXPECT_EQ(one.id, three.id);
  EXPECT_EQ(one.position, three.position);
  EXPECT_EQ(one.radius, three.radius);
}

TEST(Prepare, DuplicatesGoTheFirstStays) {
  std::vector<Vec3<float>> cloud = random_cloud(50);
  cloud.push_back(cloud[7]);
  cloud.push_back(cloud[7]);
  cloud.push_back(cloud[3]);
  const PreparedPoints points = prepare_points(scene_with(cloud), {});
  EXPECT_EQ(points.duplicates_removed, 3u);
  EXPECT_LT(*std::max_element(points.id.begin(), points.id.end()), 50u);
  ASSERT_FALSE(points.remarks.empty());
  EXPECT_NE(points.remarks[0].find("3 of 53"), std::string::npos);
}

TEST(Prepare, IsolatedPointsGoFromDenseAndFromSparseClouds) {
  for (const float spacing : {0.02f, 0.5f}) {  // at distance 5: ratios of about 0.006 and 0.16
    std::vector<Vec3<float>> cloud;
    for (int x = -15; x < 15; ++x)
      for (int y = -15; y < 15; ++y) cloud.emplace_back(static_cast<float>(x) * spacing, static_cast<float>(y) * spacing, 5);
    cloud.emplace_back(0.f, 0.f, 5.f - (spacing < 0.1f ? 0.5f : 4.9f));
    const PreparedPoints points = prepare_points(scene_with(cloud), {});
    EXPECT_EQ(points.isolated_removed, 1u) << spacing;
    EXPECT_EQ(std::count(points.id.begin(), points.id.end(), cloud.size() - 1), 0) << spacing;
    ASSERT_EQ(points.remarks.size(), 1u);
    EXPECT_NE(points.remarks[0].find("isolated"), std::string::npos);
  }
  // A cloud that is sparse all over stays.
  std::vector<Vec3<float>> sparse;
  for (int x = 0; x < 10; ++x)
    for (int y = 0; y < 10; ++y) sparse.emplace_back(x, y, 5);
  EXPECT_EQ(prepare_points(scene_with(sparse), {}).isolated_removed, 0u);
}

TEST(Prepare, NeverMoreThanTheShareIsIsolated) {
  std::vector<Vec3<float>> cloud;
  for (int i = 0; i < 900; ++i)
    cloud.emplace_back(static_cast<float>(i % 30) * 0.001f, static_cast<float>(i / 30) * 0.001f, 5.0f);
  for (int i = 0; i < 100; ++i)
    cloud.emplace_back(10.0f + static_cast<float>(i), static_cast<float>(i * i % 17), 5.0f + static_cast<float>(i % 3));
  const PreparedPoints points = prepare_points(scene_with(cloud), {});
  EXPECT_LE(points.isolated_removed, 20u);
  EXPECT_GT(points.isolated_removed, 10u);
}

TEST(Prepare, DensifyAddsCopiesInTheTangentPlane) {
  std::vector<Vec3<float>> cloud;
  for (int x = 0; x < 20; ++x)
    for (int y = 0; y < 20; ++y) cloud.emplace_back(0.1f * static_cast<float>(x), 0.1f * static_cast<float>(y), 4);
  Scene scene = scene_with(cloud);
  scene.cloud.normal.assign(cloud.size(), Vec3<float>(0, 0, -1));
  PrepareOptions options;
  options.densify = 3;
  const PreparedPoints points = prepare_points(scene, options);
  ASSERT_EQ(points.size(), 1200u);
  expect_well_formed(points, 0);
  double moved = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const size_t source = points.id[i] % 400;
    const float distance = glm::length(points.position[i] - cloud[source]);
    EXPECT_NEAR(points.position[i].z, 4, 1e-6);
    EXPECT_LE(distance, 0.2f + 1e-5f);  // the radius at a corner of the grid
    EXPECT_EQ(points.color_srgb[i].x, static_cast<float>(source % 256) * (1.0f / 255.0f));
    moved += distance > 0.01f;
  }
  EXPECT_GT(moved, 750);
}

TEST(Prepare, OnePointIsEnough) {
  const PreparedPoints points = prepare_points(scene_with({{0, 0, 2}}), {});
  ASSERT_EQ(points.size(), 1u);
  EXPECT_FLOAT_EQ(points.radius[0], 0.02f);
}

TEST(PrepareErrors, Messages) {
  expect_input_error([] { prepare_points(scene_with({}), {}); }, {"no points", "--points"});
  PrepareOptions options;
  options.densify = 0;
  expect_input_error([&] { prepare_points(scene_with({{0, 0, 2}}), options); }, {"densify", "1 (off) to 64", "found 0"});
  options = {};
  options.neighbours = 0;
  expect_input_error([&] { prepare_points(scene_with({{0, 0, 2}}), options); }, {"neighbours", "found 0"});
}

TEST(Extent, IsTheDiagonalOfTheInner90Percent) {
  std::vector<Vec3<float>> points;
  for (int i = 0; i <= 100; ++i) points.emplace_back(i, 2 * i, 7);
  points[100] = {1e6f, -1e6f, 7};
  EXPECT_NEAR(scene_extent(points), std::sqrt(90.0 * 90.0 + 180.0 * 180.0), 3);
  EXPECT_EQ(scene_extent({{1, 2, 3}}), 0);
}

TEST(Layers, FollowTheSpacingOfThePoints) {
  // Points in the plane z = 5 at a spacing of p pixels (f = 500: 100 pixels a unit), over the whole photo.
  for (const auto& [spacing_px, layers] : {std::pair{2.0, 4}, std::pair{8.0, 4}, std::pair{10.0, 5}, std::pair{20.0, 6}}) {
    std::vector<Vec3<float>> cloud;
    for (double x = spacing_px / 2; x < 960; x += spacing_px)
      for (double y = spacing_px / 2; y < 480; y += spacing_px)
        cloud.emplace_back((x - 480) / 100, (y - 240) / 100, 5.0);
    const Scene scene = scene_with(cloud);
    PrepareOptions options;
    options.remove_isolated = false;
    const LayerChoice choice = choose_layers(scene, prepare_points(scene, options), {0}, 256);
    EXPECT_NEAR(choice.spacing_px, spacing_px, 0.01);
    EXPECT_EQ(choice.layers, layers) << choice.reason;
    EXPECT_NE(choice.reason.find(std::to_string(layers) + " layers"), std::string::npos) << choice.reason;
  }
  // Dense points in half of the photo: the other half needs the coarsest layer there is.
  std::vector<Vec3<float>> half;
  for (double x = 1; x < 480; x += 2)
    for (double y = 1; y < 480; y += 2) half.emplace_back((x - 480) / 100, (y - 240) / 100, 5.0);
  const Scene half_scene = scene_with(half);
  const LayerChoice half_choice = choose_layers(half_scene, prepare_points(half_scene, {}), {0}, 256);
  EXPECT_EQ(half_choice.layers, 8) << half_choice.reason;
  EXPECT_NEAR(half_choice.covered, 0.5, 0.01);
  // A small crop allows fewer.
  std::vector<Vec3<float>> two{{-2, 0, 5}, {2, 0, 5}};
  const Scene scene = scene_with(two);
  EXPECT_EQ(choose_layers(scene, prepare_points(scene, {}), {0}, 64).layers, 6);
  EXPECT_EQ(choose_layers(scene, prepare_points(scene, {}), {0}, 256).layers, 8);
}

TEST(PrepareRealScenes, KeepTheirPoints) {
  const char* data = std::getenv("PTL_TEST_DATA");
  if (!data) GTEST_SKIP() << "PTL_TEST_DATA names no folder with fox, plush and fountain";
  for (const char* name : {"fox", "plush", "fountain"}) {
    LoadOptions options;
    options.format = "colmap";  // fox has a transforms.json too
    const Scene scene = load_scene(std::filesystem::path(data) / name, options);
    const PreparedPoints points = prepare_points(scene, {});
    expect_well_formed(points, 0);
    EXPECT_GE(static_cast<double>(points.size()), 0.95 * static_cast<double>(scene.cloud.size()));
    std::vector<int> all(scene.images.size());
    std::iota(all.begin(), all.end(), 0);
    const LayerChoice choice = choose_layers(scene, points, all);
    EXPECT_EQ(choice.layers, 8) << choice.reason;  // so sparse that the coarsest layer still has holes
    std::cout << name << ": " << points.size() << " of " << scene.cloud.size() << " points, median ratio "
              << points.median_spacing_ratio << ", limit " << points.isolation_limit_used << "; " << choice.reason << '\n';
    for (const std::string& remark : points.remarks) std::cout << "  " << remark << '\n';
  }
}

}  // namespace
}  // namespace ptl
