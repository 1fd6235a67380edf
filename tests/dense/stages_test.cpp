// The stages of the dense reconstruction one by one, on scenes whose depths are known.
#include <gtest/gtest.h>

#include <cmath>

#include "dense/consistency.h"
#include "dense/fill.h"
#include "dense/resample.h"
#include "dense/view_selection.h"
#include "tests/dense/stereo_case.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

using namespace test;

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

TEST(SourceMaps, PixelsAndRangesByHand) {
  const StereoCamera reference = camera_at({0, 0, 0}), source = camera_at({0.5, 0, 0});
  const SourceMap map = source_map(reference, source);
  const Vec3<double> place = map.base * Vec3<double>(48, 32, 1) + map.shift * 0.25;  // 4 m ahead
  EXPECT_NEAR(place.x / place.z, 48 - 80 * 0.5 / 4, 1e-12);
  EXPECT_NEAR(place.y / place.z, 32, 1e-12);
  EXPECT_NEAR(place.z * 4, 4, 1e-12);  // times the reference's depth: the source's
  const SearchRange range = search_range(reference, std::vector{source, camera_at({0.1, 0, 0})}, 2, 8);
  EXPECT_EQ(range.least_w, 1 / 8.0);
  EXPECT_EQ(range.most_w, 1 / 2.0);
  EXPECT_EQ(range.step_w, 0.375 / 32);  // the whole range moves a pixel by 15 only
  EXPECT_NEAR(search_range(reference, std::vector{camera_at({4, 0, 0})}, 2, 8).step_w, 1 / (80 * 4.0), 1e-9);
}

TEST(Resample, PixelsBetweenPixelsByHand) {
  CameraParams<double> params;
  params.width_px = 3, params.height_px = 2;
  params.value[PinholeModel::fx] = params.value[PinholeModel::fy] = 2;
  params.value[PinholeModel::cx] = 1.5, params.value[PinholeModel::cy] = 1;
  StereoCamera camera;
  camera.width_px = 3, camera.height_px = 2;
  camera.focal_x_px = camera.focal_y_px = 2;
  camera.centre_x_px = 1, camera.centre_y_px = 1;  // half a pixel to the right in the photo
  std::vector<uint8_t> values8;
  std::vector<uint16_t> values16;
  for (int i = 0; i < 18; ++i)
    values8.push_back(static_cast<uint8_t>(10 * i)), values16.push_back(static_cast<uint16_t>(2570 * i));
  const std::vector<uint8_t> mask_values = {255, 128, 127, 255, 255, 255};
  const StoredPixels mask{3, 2, 1, mask_values.data(), nullptr};
  for (const StoredPixels& photo :
       {StoredPixels{3, 2, 3, values8.data(), nullptr}, StoredPixels{3, 2, 3, nullptr, values16.data()}}) {
    const GuardedOutput<float> luminance(cpu(), 6);
    const GuardedOutput<uint8_t> color(cpu(), 18), valid(cpu(), 6);
    resample_photo(cpu(), params, photo, mask, camera, luminance.data(), color.data(), valid.data());
    // Pixel (0, 0) lies between photo pixels 0 and 1, (1, 0) between 1 and 2, (2, 0) at the photo's right side:
    // outside.
    EXPECT_EQ(valid.read(), (std::vector<uint8_t>{1, 0, 0, 1, 1, 0}));  // (1, 0) is masked: it lies in pixel 2
    EXPECT_EQ(color.read(),
              (std::vector<uint8_t>{15, 25, 35, 0, 0, 0, 0, 0, 0, 105, 115, 125, 135, 145, 155, 0, 0, 0}));
    EXPECT_NEAR(luminance.read()[0], 0.299 * 15 + 0.587 * 25 + 0.114 * 35, 1e-4);
    EXPECT_EQ(luminance.read()[2], 0);
  }
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

/// Lines of sight 0.7° apart: a wrong depth moves the other photo's pixel too little to be noticed.
TEST(Consistency, WhereTheAngleIsSmallTwoMustAgree) {
  const DepthMap map = map_of_plane(camera_at({0, 0, 0}), 4);
  const auto near = std::make_shared<const DepthMap>(map_of_plane(camera_at({0.05, 0, 0}), 4)),
             far = std::make_shared<const DepthMap>(map_of_plane(camera_at({0.3, 0, 0}), 4)),
             away = std::make_shared<const DepthMap>(map_of_plane(camera_at({90, 0, 0}), 4));
  EXPECT_NEAR(sight_angle_square(map.camera, near->camera, {0, 0, 4}), 1 / (1 + 80.0 * 80), 1e-9);
  const size_t at = map.camera.index(50, 30);
  const auto stays = [&](const std::vector<std::shared_ptr<const DepthMap>>& others) {
    DepthMap checked = map;
    check_depths(cpu(), checked, others, {});
    return checked.depth_m[at] > 0;
  };
  EXPECT_FALSE(stays({near, away, away}));
  EXPECT_TRUE(stays({near, near, away}));
  EXPECT_TRUE(stays({far, away, away}));
  EXPECT_TRUE(stays({near}));  // who has one other cannot ask two
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
