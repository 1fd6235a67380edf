// Rows with poses of their own: projection and its gradients against float64 and by hand.
#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/row_pose.h"
#include "tests/kernels/structure_case.h"
#include "tests/kernels/wide_views.h"

namespace ptl::test {
namespace {

Tangent<double> scaled(const Tangent<double>& motion, double t) { return {t * motion.translation, t * motion.rotation}; }

/// A hand-held camera's, some degrees and hundredths of the depth in one readout.
Tangent<double> some_motion(uint64_t seed) {
  const auto draw = [&](uint64_t which) { return draw_unit(seed, DrawPurpose::synthetic, 1u << 21, which) - 0.5; };
  return {{0.1 * draw(0), 0.1 * draw(1), 0.1 * draw(2)}, {0.1 * draw(3), 0.1 * draw(4), 0.1 * draw(5)}};
}

/// Where the moving camera sees a point, in pixels of the photo: its row says when. By many rounds with the exact exponential.
Projection<double> seen(const CameraParams<double>& camera, const Pose<double>& middle, const Tangent<double>& motion,
                        const Vec3<double>& point) {
  Projection<double> at = project(camera, middle * point);
  for (int round = 0; round < 40; ++round) {
    const double t = std::clamp(at.y_px / camera.height_px - 0.5, -0.5, 0.5);
    at = project(camera, exp(scaled(motion, t)) * middle * point);
  }
  return at;
}

TEST(RowPose, TimeOfARow) {
  EXPECT_EQ(readout_time(0.0, 480), -0.5);
  EXPECT_EQ(readout_time(240.0, 480), 0.0);
  EXPECT_EQ(readout_time(360.0, 480), 0.25);
  EXPECT_EQ(readout_time(480.0, 480), 0.5);
  EXPECT_EQ(readout_time(-7.0, 480), -0.5);
  EXPECT_EQ(readout_time(1e9, 480), 0.5);
  EXPECT_EQ(readout_time(std::nan(""), 480), -0.5);
}

TEST(RowPose, IsTheExponentialToSecondOrder) {
  const Tangent<double> motion = some_motion(1);
  const Vec3<double> x(0.3, -0.4, 2);
  for (const double t : {-0.5, -0.2, 0.0, 0.4}) {
    // What is left out begins with |tω|² |t (v + ω × x)| / 6.
    const double speed = glm::length(motion.translation + glm::cross(motion.rotation, x));
    const double bound = std::pow(std::abs(t) * glm::length(motion.rotation), 2) * std::abs(t) * speed / 6;
    EXPECT_LE(glm::length(moved_in_readout(motion, t, x) - exp(scaled(motion, t)) * x), 1.1 * bound + 1e-15) << t;
  }
  EXPECT_EQ(moved_in_readout(motion, 0.0, x), x);
}

TEST(RollingShutter, PixelsByHand) {
  // Focal length 10, 16 × 16 pixels, centre (8, 8), points at depth 2.
  RasterView view = simple_view(16, 16, 10);
  RasterConfig config;
  config.layers = 1;
  config.footprint_threshold_px = 0;
  const auto pixel = [&](float x, float y) {
    RasterScene scene;
    scene.add(x, y, 2, 1);
    const RenderedImage image = render(scene, view, config);
    return image.projected.size() == 1 ? std::pair<int, int>(image.projected[0].x_px, image.projected[0].y_px) : std::pair(-1, -1);
  };
  // The camera moves 0.8 to the left in a readout, points 4 pixels to the right: −2 at the first row, 2 behind the last.
  view.readout_motion.translation.x = 0.8;
  EXPECT_EQ(pixel(0.05f, -1.59f), std::pair(6, 0));   // 8.25 − 4 · 0.4969 = 6.26
  EXPECT_EQ(pixel(0.05f, 0.05f), std::pair(8, 8));    // 8.25 + 4 · 0.0156
  EXPECT_EQ(pixel(0.05f, 1.45f), std::pair(10, 15));  // 8.25 + 4 · 0.4531 = 10.06
  EXPECT_EQ(pixel(-1.4f, -1.59f), std::pair(-1, -1)); // 1 − 2: to the left of the photo
  EXPECT_EQ(pixel(-1.9f, 1.45f), std::pair(0, 15));   // −1.5 + 1.81: the middle row would not see it
  // Down by 4 pixels: y = 8 + 5 Y + 4 (y/16 − ½), so y = (6 + 5 Y)/(1 − ¼): rows are drawn apart.
  view.readout_motion.translation = {0, 0.8, 0};
  EXPECT_EQ(pixel(0.05f, 0.05f), std::pair(8, 8));   // 8.33
  EXPECT_EQ(pixel(0.05f, -0.65f), std::pair(8, 3));  // 3.67
  EXPECT_EQ(pixel(0.05f, 1.1f), std::pair(8, 15));   // 15.33
  EXPECT_EQ(pixel(0.05f, 1.25f), std::pair(-1, -1)); // 16.33
}

void expect_every_point(RasterScene scene, const RasterView& view, const std::string& what) {
  RasterConfig config;
  config.footprint_threshold_px = 0;
  const CameraParams<double> camera = camera_cast<double>(view.camera);
  const double near = 0.02;  // pixels: floats, three rounds, the second order
  std::vector<std::array<double, 2>> expected(static_cast<size_t>(scene.count()), {-1, -1});
  for (int64_t i = 0; i < scene.count(); ++i) {
    float* const p = scene.position.data() + 3 * i;
    const Vec3<double> point(p[0], p[1], p[2]);
    const Projection<double> at = seen(camera, view.camera_from_world, view.readout_motion, point);
    const Vec2<double> px = apply_crop(view.crop, Vec2<double>(at.x_px, at.y_px));
    const Vec3<double> middle = view.camera_from_world * point;
    // Near a decision, near the lens, or where a model ends: out of sight, as in the other tests of projection.
    const bool decided = std::abs(px.x - std::round(px.x)) > near && std::abs(px.y - std::round(px.y)) > near;
    const bool safe = view.camera.model == CameraModel::pinhole ? std::abs(middle.z) > 0.3 : glm::length(middle) > 0.5;
    bool steady = true;
    for (const double t : {-0.5, 0.5}) {
      const Vec3<double> moved = exp(scaled(view.readout_motion, t)) * middle;
      steady &= project(camera, moved).valid == at.valid && project(camera, 1.01 * moved + Vec3<double>(0.02)).valid == at.valid;
    }
    if (!decided || !safe || !steady) {
      p[0] = std::numeric_limits<float>::quiet_NaN();
      continue;
    }
    if (at.valid && px.x >= 0 && px.y >= 0 && px.x < view.crop.width_px && px.y < view.crop.height_px)
      expected[static_cast<size_t>(i)] = {px.x, px.y};
  }
  const RenderedImage sorted = render(scene, view, config, RasterDriver::sorted);
  RenderedImage tiled = render(scene, view, config, RasterDriver::tiles);
  size_t found = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (expected[i][0] < 0) continue;
    ASSERT_LT(found, sorted.projected.size()) << what;
    const ProjectedPoint& p = sorted.projected[found++];
    ASSERT_EQ(p.point, i) << what;
    ASSERT_EQ(p.x_px, std::floor(expected[i][0])) << what;
    ASSERT_EQ(p.y_px, std::floor(expected[i][1])) << what;
  }
  EXPECT_EQ(found, sorted.projected.size()) << what;
  EXPECT_GT(found, 50u) << what;
  std::sort(tiled.projected.begin(), tiled.projected.end(), [](const auto& a, const auto& b) { return a.point < b.point; });
  EXPECT_TRUE(same_bits(sorted.projected, tiled.projected)) << what;
}

TEST(RollingShutter, EveryPointOfTheReferenceAndNoOther) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    RasterView view = random_view(seed, RasterConfig{}.layers);
    view.readout_motion = some_motion(seed);
    expect_every_point(random_scene(seed, 6000, 1), view, "seed " + std::to_string(seed));
  }
}

TEST(RollingShutter, OfWideLensesToo) {
  for (const auto& [name, camera] : wide_cameras()) {
    if (camera.model == CameraModel::equirectangular) continue;  // points at the seam land on either side
    RasterView view = random_wide_view(3, camera, RasterConfig{}.layers);
    view.readout_motion = some_motion(5);
    expect_every_point(scene_around(3, 6000, 1), view, name);
  }
}

// A block that only some rows see must not be left out: blocks of one point, so that no other one brings it in.
void expect_seen_blocks(const RasterScene& scene, const RasterView& view, const std::string& what) {
  const CameraParams<double> camera = camera_cast<double>(view.camera);
  std::vector<float> bounds;
  for (int64_t i = 0; i < scene.count(); ++i)
    for (int side = 0; side < 2; ++side) bounds.insert(bounds.end(), scene.position.data() + 3 * i, scene.position.data() + 3 * i + 3);
  PointsView blocks;
  blocks.count = scene.count() * points_per_block;
  blocks.block_bounds = bounds.data();
  HeapScratch scratch;
  const Device device{DeviceType::cpu, nullptr, &scratch};
  std::vector<uint32_t> visible(static_cast<size_t>(scene.count()));
  visible.resize(static_cast<size_t>(find_visible_blocks(device, blocks, view, visible.data())));
  int seen_points = 0, by_motion = 0;
  for (int64_t i = 0; i < scene.count(); ++i) {
    const Vec3<double> point(scene.position[static_cast<size_t>(3 * i)], scene.position[static_cast<size_t>(3 * i + 1)],
                             scene.position[static_cast<size_t>(3 * i + 2)]);
    const auto inside = [&](const Projection<double>& at) {
      const Vec2<double> px = apply_crop(view.crop, Vec2<double>(at.x_px, at.y_px));
      return at.valid && px.x >= 0 && px.y >= 0 && px.x < view.crop.width_px && px.y < view.crop.height_px;
    };
    if (!inside(seen(camera, view.camera_from_world, view.readout_motion, point))) continue;
    EXPECT_TRUE(std::binary_search(visible.begin(), visible.end(), static_cast<uint32_t>(i))) << what << " point " << i;
    ++seen_points;
    by_motion += !inside(project(camera, view.camera_from_world * point));
  }
  EXPECT_GT(seen_points, 100) << what;
  EXPECT_GT(by_motion, 0) << what;
}

TEST(RollingShutter, BlocksThatOnlySomeRowsSee) {
  const Tangent<double> fast{{0.2, -0.3, 0.1}, {0.2, 0.3, -0.2}};
  RasterView view = random_view(2, RasterConfig{}.layers);
  view.readout_motion = fast;
  expect_seen_blocks(random_scene(2, 6000, 1), view, "pinhole");
  for (const auto& [name, camera] : wide_cameras()) {
    if (camera.model == CameraModel::equirectangular) continue;  // it sees everything
    view = random_wide_view(3, camera, RasterConfig{}.layers);
    view.readout_motion = fast;
    expect_seen_blocks(scene_around(3, 6000, 1), view, name);
  }
}

// Σ gradient · pixel as a function of poses, motion and points, differentiated in float64: with the point's row, the moment at
// which it is seen changes as well.
void expect_derivatives(RasterScene scene, const RasterView& view, const std::string& what) {
  const RenderedImage image = render(scene, view, {});
  std::vector<StructureEntry> entries;
  for (size_t i = 0; i < image.projected.size(); ++i)
    entries.push_back({static_cast<uint32_t>(i),
                       {draw_unit(3, DrawPurpose::synthetic, 7, i) - 0.5f, draw_unit(3, DrawPurpose::synthetic, 8, i) - 0.5f, 1}});
  HeapScratch scratch;
  const Device device{DeviceType::cpu, nullptr, &scratch};
  std::vector<int64_t> rows(entries.size());
  std::vector<float> grad_position(3 * entries.size());
  const StructureSums sums = structure_chain(device, scene.view(), view, image.projected.data(), entries.data(),
                                             static_cast<int64_t>(entries.size()), rows.data(), grad_position.data(), true);
  const CameraParams<double> camera = camera_cast<double>(view.camera);
  const auto change = [&](size_t k, const Pose<double>& pose, const Tangent<double>& motion, const Vec3<double>& moved) {
    const float* const x = scene.position.data() + 3 * image.projected[entries[k].projected].point;
    const Projection<double> at = seen(camera, pose, motion, Vec3<double>(x[0], x[1], x[2]) + moved);
    const double zoom = static_cast<double>(view.crop.zoom);
    return zoom * (static_cast<double>(entries[k].gradient.x) * at.x_px + static_cast<double>(entries[k].gradient.y) * at.y_px);
  };
  const double step = 1e-6;
  for (int component = 0; component < 6; ++component) {
    Tangent<double> xi, more = view.readout_motion, less = view.readout_motion;
    (component < 3 ? xi.translation[component] : xi.rotation[component - 3]) = step;
    (component < 3 ? more.translation[component] : more.rotation[component - 3]) += step;
    (component < 3 ? less.translation[component] : less.rotation[component - 3]) -= step;
    double of_pose = 0, of_readout = 0, pose_size = 0, readout_size = 0;
    for (size_t k = 0; k < entries.size(); ++k) {
      const double pose = (change(k, exp(xi) * view.camera_from_world, view.readout_motion, Vec3<double>(0)) -
                           change(k, inverse(exp(xi)) * view.camera_from_world, view.readout_motion, Vec3<double>(0))) / (2 * step);
      const double readout = (change(k, view.camera_from_world, more, Vec3<double>(0)) -
                              change(k, view.camera_from_world, less, Vec3<double>(0))) / (2 * step);
      of_pose += pose;
      of_readout += readout;
      pose_size += std::abs(pose);
      readout_size += std::abs(readout);
    }
    // A term's row is that of its pixel's middle, half a pixel off at most: 1/160 of the readout, against ½.
    EXPECT_NEAR(sums.pose[component], of_pose, 1e-3 * pose_size) << what << " component " << component;
    EXPECT_NEAR(sums.readout[component], of_readout, 0.01 * readout_size) << what << " component " << component;
    EXPECT_GT(readout_size, 0);
  }
  for (size_t k = 0; k < entries.size(); k += 7)
    for (int axis = 0; axis < 3; ++axis) {
      Vec3<double> moved(0);
      moved[axis] = step;
      const double expected = (change(k, view.camera_from_world, view.readout_motion, moved) -
                               change(k, view.camera_from_world, view.readout_motion, -moved)) / (2 * step);
      ASSERT_NEAR(grad_position[3 * k + static_cast<size_t>(axis)], expected, 2e-3 * (5 + std::abs(expected))) << what;
    }
}

TEST(RollingShutter, GradientsAgainstFiniteDifferences) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    RasterView view = random_view(seed, RasterConfig{}.layers);
    expect_derivatives(random_scene(seed, 4000, 1), view, "still, seed " + std::to_string(seed));
    view.readout_motion = some_motion(seed);
    expect_derivatives(random_scene(seed, 4000, 1), view, "moving, seed " + std::to_string(seed));
  }
}

TEST(RollingShutter, ACameraThatStandsStillHasOneChain) {
  RasterScene scene = random_scene(2, 4000, 1);
  const RasterView view = random_view(2, RasterConfig{}.layers);
  const RenderedImage image = render(scene, view, {});
  std::vector<StructureEntry> entries;
  for (size_t i = 0; i < image.projected.size(); ++i) entries.push_back({static_cast<uint32_t>(i), {0.25f, -0.5f, 1}});
  HeapScratch scratch;
  const Device device{DeviceType::cpu, nullptr, &scratch};
  const auto sums = [&](bool of_readout) {
    std::vector<int64_t> rows(entries.size());
    std::vector<float> grad(3 * entries.size());
    return structure_chain(device, scene.view(), view, image.projected.data(), entries.data(),
                           static_cast<int64_t>(entries.size()), rows.data(), grad.data(), of_readout);
  };
  const StructureSums without = sums(false), with = sums(true);
  EXPECT_EQ(without.readout[0], 0);
  EXPECT_NE(with.readout[0], 0);
  for (int k = 0; k < 6; ++k) EXPECT_NEAR(with.pose[k], without.pose[k], 1e-6 * std::abs(without.pose[k]));
}

}  // namespace
}  // namespace ptl::test
