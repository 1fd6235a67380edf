// The stages of the dense reconstruction one by one, on scenes whose depths are known.
#include <gtest/gtest.h>

#include <cmath>

#include "dense/consistency.h"
#include "dense/fill.h"
#include "dense/view_selection.h"
#include "tests/dense/stereo_case.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

using namespace test;

/// The matching cost again, slowly and in double: one source.
double slow_cost(const StereoView& reference, const StereoView& source, int x, int y, double w) {
  return 127 * (1 - slow_correlation(reference, source, x, y, w, 0, 0));
}

TEST(DenseViews, AngleWeights) {
  EXPECT_EQ(angle_weight(0), 0);
  EXPECT_NEAR(angle_weight(1), 0.04, 1e-12);
  EXPECT_EQ(angle_weight(5), 1);
  EXPECT_EQ(angle_weight(15), 1);
  EXPECT_NEAR(angle_weight(27), std::exp(-0.5), 1e-12);
}

TEST(DenseViews, OneCameraOrOnePlaceIsRefused) {
  Scene scene;
  scene.folder = "place";
  scene.cameras.resize(1);
  scene.images.resize(3);
  testing::expect_input_error([&] { select_views(scene, {1}, {}); }, {"place", "two photos", "--all-photos"});
  testing::expect_input_error([&] { select_views(scene, {0, 1, 2}, {}); }, {"place", "one place"});
}

TEST(PlaneSweep, CostsAreThoseOfTheSlowReference) {
  const StereoView reference = view_of_plane(camera_at({0, 0, 0}), 4, 0.1);
  const StereoView source = view_of_plane(camera_at({0.3, 0.1, 0.05}), 4, 0.1, 0.7);
  const InversePlanes planes{1 / 6.0, (1 / 3.0 - 1 / 6.0) / 31, 32};
  const Costs volume = swept(cpu(), reference, {&source}, planes);
  for (const int y : {12, 16, 31, 47})  // both sides of the strips' borders
    for (const int x : {20, 33, 60})
      for (const int k : {0, 7, 15, 31})
        EXPECT_NEAR(volume.at(x, y)[k], slow_cost(reference, source, x, y, planes.at(k)), 1.01)
            << x << ' ' << y << ' ' << k;
  EXPECT_EQ(volume.at(0, 20)[3], unknown_cost);  // the window leaves the photo
  EXPECT_EQ(volume.at(30, 63)[3], unknown_cost);
}

TEST(PlaneSweep, TheBetterHalfOfTheSourcesCounts) {
  const StereoView reference = view_of_plane(camera_at({0, 0, 0}), 4, 0);
  const StereoView good = view_of_plane(camera_at({0.3, 0, 0}), 4, 0),
                   better = view_of_plane(camera_at({0, 0.3, 0}), 4, 0);
  const StereoView hidden = view_of_plane(camera_at({-0.3, 0, 0}), 9, 0);  // sees something else
  const InversePlanes planes{0.25, 0.01, 16};
  const Costs volume = swept(cpu(), reference, {&good, &hidden, &better}, planes);
  EXPECT_LE(volume.at(48, 32)[0], 4);
}

TEST(Stereo, FindsASlantedPlane) {
  const double slope = 0.4;
  const StereoView reference = view_of_plane(camera_at({0, 0, 0}), 4, slope);
  const StereoView a = view_of_plane(camera_at({0.35, 0, 0}), 4, slope, 0.6);
  const StereoView b = view_of_plane(camera_at({-0.2, 0.3, 0}), 4, slope, 1.3);
  const std::vector<const StereoView*> sources = {&a, &b};
  const InversePlanes planes =
      choose_planes(reference.camera, MatchViews(cpu(), reference, sources).sources(), 2.5, 8, 128);
  EXPECT_EQ(planes.count % 16, 0);
  EXPECT_NEAR(1 / planes.at(0), 8, 1e-9);
  EXPECT_NEAR(1 / planes.at(planes.count - 1), 2.5, 1e-9);
  const std::vector<float> plane = matched(cpu(), swept(cpu(), reference, sources, planes), reference);
  const Refined depths = refined(cpu(), reference, sources, planes, plane);
  int good = 0, all = 0;
  double coarse = 0, fine = 0;
  for (int y = 6; y < 58; ++y)
    for (int x = 14; x < 82; ++x) {
      const size_t at = reference.camera.index(x, y);
      const Vec3<double> ray = reference.camera.ray(x + 0.5, y + 0.5);
      const double truth = 4 / (1 - slope * ray.x);
      const double error = std::fabs(static_cast<double>(depths.depth_m[at]) / truth - 1);
      good += error < 0.02;
      ++all;
      coarse += std::min(0.05, std::fabs(1 / planes.at(static_cast<double>(plane[at])) / truth - 1));
      fine += std::min(0.05, error);
    }
  EXPECT_GT(good, 0.95 * all);
  EXPECT_LT(fine, 0.7 * coarse);  // what the refinement is for
}

TEST(DepthMaps, NormalOfAPlane) {
  StereoCamera camera = camera_at({0, 0, 0});
  DepthMap map = map_of_plane(camera, 4);
  for (int y = 0; y < camera.height_px; ++y)
    for (int x = 0; x < camera.width_px; ++x)
      map.depth_m[camera.index(x, y)] = static_cast<float>(4 / (1 - 0.5 * camera.ray(x + 0.5, y + 0.5).x));
  // z = 4 + x/2: normal (1/2, 0, −1)/√1.25, towards the camera.
  const Vec3<float> normal = normal_at(map, 40, 30);
  EXPECT_NEAR(normal.x, 0.5 / std::sqrt(1.25), 2e-3);
  EXPECT_NEAR(normal.y, 0, 2e-3);
  EXPECT_NEAR(normal.z, -1 / std::sqrt(1.25), 2e-3);
}

TEST(DepthMaps, FilesComeBackOrNotAtAll) {
  const testing::TemporaryFolder folder;
  const DepthMap map = map_of_plane(camera_at({1, 2, 0}), 4);
  write_depth_map(folder / "a.bin", map, 7);
  const auto back = read_depth_map(folder / "a.bin", 7);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->depth_m, map.depth_m);
  EXPECT_EQ(back->color, map.color);
  EXPECT_EQ(back->camera.camera_from_world.translation, map.camera.camera_from_world.translation);
  EXPECT_FALSE(read_depth_map(folder / "a.bin", 8).has_value());
  EXPECT_FALSE(read_depth_map(folder / "b.bin", 7).has_value());
  const std::string contents = testing::file_contents(folder / "a.bin");
  testing::write_contents(folder / "a.bin", contents.substr(0, contents.size() / 2));
  EXPECT_FALSE(read_depth_map(folder / "a.bin", 7).has_value());
}

TEST(Consistency, OpinionsOfAnotherPhoto) {
  const DepthMap map = map_of_plane(camera_at({0, 0, 0}), 4), other = map_of_plane(camera_at({0.3, 0, 0}), 4);
  const ConsistencyOptions options;
  const auto opinion = [&](double z) {
    const DepthProbe there = probe_depth(other, map.camera.position_world(50.5, 30.5, z));
    return opinion_of(other, there, map, 50, 30, options, false);
  };
  EXPECT_EQ(opinion(4.0), Opinion::agrees);
  EXPECT_EQ(opinion(4.02), Opinion::agrees);
  EXPECT_EQ(opinion(3.95), Opinion::none);    // between agreement and evidence
  EXPECT_EQ(opinion(2.0), Opinion::through);  // it sees the wall behind
  EXPECT_EQ(opinion(6.0), Opinion::hidden);   // the wall stands before it
  EXPECT_EQ(opinion(0.1), Opinion::none);     // outside of the other photo
  DepthMap edge = other;                      // something near stands beside the line of sight
  const DepthProbe probe = probe_depth(other, map.camera.position_world(50.5, 30.5, 2));
  edge.depth_m[edge.camera.index(probe.x + 1, probe.y)] = 2;
  EXPECT_EQ(opinion_of(edge, probe_depth(edge, map.camera.position_world(50.5, 30.5, 2)), map, 50, 30, options, false),
            Opinion::none);
}

TEST(Consistency, UnconfirmedDepthsGo) {
  DepthMap map = map_of_plane(camera_at({0, 0, 0}), 4);
  const auto other = std::make_shared<const DepthMap>(map_of_plane(camera_at({0.3, 0, 0}), 4));
  const size_t wrong = map.camera.index(50, 30), outside = map.camera.index(0, 30), weak = map.camera.index(51, 30);
  map.depth_m[wrong] = 3;
  map.match[weak] = 60;
  const auto away = std::make_shared<const DepthMap>(map_of_plane(camera_at({90, 0, 0}), 4));  // sees nothing of it
  check_depths(cpu(), map, {other, away, away}, {});
  EXPECT_EQ(map.depth_m[wrong], 0);
  EXPECT_EQ(map.depth_m[outside], 0);
  EXPECT_EQ(map.depth_m[weak], 0);  // a weak match needs three
  EXPECT_EQ(map.depth_m[map.camera.index(60, 30)], 4);
  EXPECT_EQ(map.agreeing[map.camera.index(60, 30)], 1);
}

TEST(Fill, ASegmentGetsItsPlaneAndNoOther) {
  const StereoCamera camera = camera_at({0, 0, 0});
  DepthMap map = map_of_plane(camera, 4);
  for (int y = 0; y < camera.height_px; ++y)
    for (int x = 0; x < camera.width_px; ++x) {
      const size_t at = camera.index(x, y);
      const bool left = x < 48;
      map.color[at] = left ? std::array<uint8_t, 3>{200, 200, 190} : std::array<uint8_t, 3>{40, 60, 90};
      const double w = 0.25 + 0.0005 * x - 0.0003 * y;
      map.depth_m[at] = left && (x < 12 || x > 36) ? static_cast<float>(1 / w) : 0.0f;
    }
  EXPECT_EQ(fill_depths(map, {}), 32 * 13);  // every second row, and columns 12, 14, … 36
  for (int y = 0; y < 64; y += 2) {
    EXPECT_NEAR(map.depth_m[camera.index(24, y)], 1 / (0.25 + 0.0005 * 24 - 0.0003 * y), 1e-3);
    EXPECT_EQ(map.agreeing[camera.index(24, y)], filled_in);
    EXPECT_EQ(map.depth_m[camera.index(25, y)], 0);
    for (int x = 49; x < 96; ++x) EXPECT_EQ(map.depth_m[camera.index(x, y)], 0) << x << ' ' << y;
  }
}

TEST(Fill, BareSegmentsLoseWhatTheirBorderTookFromTheForeground) {
  const StereoCamera camera = camera_at({0, 0, 0});
  DepthMap map = map_of_plane(camera, 4);
  for (int y = 0; y < camera.height_px; ++y)
    for (int x = 0; x < camera.width_px; ++x) {
      const size_t at = camera.index(x, y);
      map.color[at] = x < 32 ? std::array<uint8_t, 3>{90, 60, 30} : std::array<uint8_t, 3>{190, 200, 240};  // post, sky
      if (x >= 34) map.depth_m[at] = 0;  // two columns of sky have the post's depth
    }
  EXPECT_EQ(fill_depths(map, {}), 0);
  for (int y = 0; y < camera.height_px; ++y) {
    EXPECT_EQ(map.depth_m[camera.index(31, y)], 4);
    EXPECT_EQ(map.depth_m[camera.index(33, y)], 0);
  }
}

}  // namespace
}  // namespace ptl
