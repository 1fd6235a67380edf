// The whole chain on a small ray-traced scene, against its true surfaces; and what people get wrong.
#include "dense/densify.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "datasets/image_io.h"
#include "datasets/ply.h"
#include "datasets/scene_loader.h"
#include "datasets/split.h"
#include "datasets/synthetic_write.h"
#include "tests/dense/true_surfaces.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

class Densify : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TemporaryFolder;
    SyntheticOptions options;
    options.photos = 24;
    options.width_px = 160;
    options.height_px = 112;
    options.samples = 4;
    options.sparse_points = 2000;
    options.density = 0.2;
    write_synthetic_scene(options, *folder_ / "scene");
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static Scene scene() { return load_scene(*folder_ / "scene"); }
  static std::filesystem::path work(const std::string& name) { return *folder_ / ("work_" + name); }
  static testing::TemporaryFolder* folder_;
};
testing::TemporaryFolder* Densify::folder_ = nullptr;

using testing::truth_of;
using testing::world_positions;

TEST_F(Densify, PointsLieOnTheSurfaces) {
  const Scene s = scene();
  const Split split = make_split(s, "every8");
  const DenseResult result = densify(s, split.train, {}, work("truth"));
  const DenseCloud& dense = result.points;
  ASSERT_EQ(dense.cloud.normal.size(), dense.cloud.size());
  ASSERT_EQ(dense.confidence.size(), dense.cloud.size());
  ASSERT_EQ(dense.first_seen.size(), dense.cloud.size() + 1);
  for (const uint32_t image : dense.seen_by)
    ASSERT_TRUE(std::binary_search(split.train.begin(), split.train.end(), static_cast<int>(image))) << "a held-out photo took part";
  for (const Vec3<float>& normal : dense.cloud.normal) ASSERT_NEAR(glm::length(normal), 1, 1e-4);

  std::vector<Vec3<float>> world = world_positions(s, dense);
  const CloudTruth truth = truth_of(s, world, 4000);
  RecordProperty("far_share", std::to_string(truth.far_share));
  RecordProperty("covered_share", std::to_string(truth.covered_share));
  RecordProperty("covered_pixels", std::to_string(truth.covered_pixels));
  EXPECT_GT(result.confirmed_share, 2 * doubtful_share);
  EXPECT_LT(truth.far_share, 0.15);  // at a third of the demo's size; docs/dense.md has the demo's figures
  EXPECT_GT(truth.covered_share, 0.4);

  // The measure itself: points moved off the surfaces are found out.
  for (Vec3<float>& p : world) p += Vec3<float>(0, 0, static_cast<float>(4 * truth.threshold_m));
  EXPECT_GT(truth_of(s, world, 2000).far_share, 0.5);
}

TEST_F(Densify, ThreadsAndInterruptionsChangeNothing) {
  const Scene s = scene();
  const std::vector<int> photos = {1, 2, 3, 4, 5, 6};
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const DenseResult one = densify(s, photos, {}, work("one"));
  omp_set_num_threads(3);
  std::set<std::string> steps;
  const DenseResult three =
      densify(s, photos, {}, work("three"), [&](const char* step, int, int) { steps.insert(step); });
  EXPECT_EQ(steps, (std::set<std::string>{"choosing photos", "matching (1 of 2)", "matching (2 of 2)", "checking",
                                          "fusing"}));
  EXPECT_EQ(three.reused, 0);
  std::filesystem::remove(work("three") / "depth_00002.bin");
  testing::write_contents(work("three") / "depth_00004.bin", "damaged");
  const DenseResult again = densify(s, photos, {}, work("three"));
  omp_set_num_threads(threads);
  EXPECT_EQ(again.reused, 4);
  for (const DenseResult* other : {&three, &again}) {
    EXPECT_EQ(one.points.cloud.position, other->points.cloud.position);
    EXPECT_EQ(one.points.cloud.color, other->points.cloud.color);
    EXPECT_EQ(one.points.confidence, other->points.confidence);
  }
  DenseOptions few;
  few.max_points = 500;
  EXPECT_EQ(densify(s, photos, few, work("three")).points.cloud.size(), 500u);
  few.matching.first.changes = 1;  // another setting: nothing is reused
  EXPECT_EQ(densify(s, photos, few, work("three")).reused, 0);
}

TEST_F(Densify, MaskedPixelsAreNotValid) {
  Scene s = scene();
  StoredImage mask;  // the left half of the photo counts
  mask.width = 160, mask.height = 112, mask.channels = 1;
  for (int i = 0; i < 160 * 112; ++i) mask.values8.push_back(i % 160 < 80 ? 255 : 0);
  s.images[3].mask_path = *folder_ / "mask.png";
  write_png(s.images[3].mask_path, mask);
  ImageCache photos = stereo_photos(s, 1);
  HeapScratch scratch;
  const StereoView view = make_stereo_view(Device{DeviceType::cpu, nullptr, &scratch}, s, 3, 1, photos);
  const StereoCamera& camera = view.camera;
  ASSERT_GE(camera.width_px, 150);
  const int middle = static_cast<int>(camera.centre_x_px), y = camera.height_px / 2;
  EXPECT_EQ(view.valid[camera.index(middle - 20, y)], 1);
  EXPECT_EQ(view.valid[camera.index(middle + 20, y)], 0);
  EXPECT_EQ(view.luminance[camera.index(middle + 20, y)], 0.0f);
}

TEST_F(Densify, PhotosThatDoNotOverlapAreRefused) {
  Scene s = scene();
  for (SparsePoint& point : s.sparse_points) point.track.resize(1);  // every point was seen once
  testing::expect_input_error([&] { densify(s, {1, 2, 3, 4}, {}, work("apart")); }, {"sparse points", "overlap"});
}

TEST_F(Densify, PosesInALineGiveASoundCloud) {
  const Scene s = scene();  // neighbours: nearly in a line
  const DenseResult result = densify(s, {1, 2, 3, 4}, {}, work("line"));
  EXPECT_GT(result.points.cloud.size(), 300u);
  EXPECT_GT(result.confirmed_share, doubtful_share);
}

TEST_F(Densify, NoSparsePointsStillGiveDepths) {
  Scene s = scene();
  s.sparse_points.clear();
  s.cloud = {};
  const DenseResult result = densify(s, make_split(s, "every8").train, {}, work("empty"));
  EXPECT_GT(result.points.cloud.size(), 1000u);
}

TEST_F(Densify, WrongPosesAreSaid) {
  Scene s = scene();
  const std::vector<int> photos = {1, 2, 3, 4, 5};
  for (size_t i = 0; i < s.images.size(); ++i) {  // every camera looks somewhere else than its photo
    Tangent<double> turn;
    turn.rotation = Vec3<double>(0, 0, 0.9 * static_cast<double>(i));
    s.images[i].camera_from_world = exp(turn) * s.images[i].camera_from_world;
  }
  try {
    const DenseResult result = densify(s, photos, {}, work("wrong"));
    RecordProperty("confirmed_share", std::to_string(result.confirmed_share));
    EXPECT_LT(result.confirmed_share, doubtful_share);  // what the command warns about
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("poses"), std::string::npos) << error.what();
  }
}

/// The mean over a line of pixels, along x or y, as a moving camera sees it.
Image shaken(const Image& photo, int length_px, bool along_x) {
  Image result(photo.width, photo.height, 3);
  for (int y = 0; y < photo.height; ++y)
    for (int x = 0; x < photo.width; ++x)
      for (int c = 0; c < 3; ++c) {
        float sum = 0;
        for (int k = -length_px / 2; k <= length_px / 2; ++k)
          sum += photo.at(std::clamp(x + (along_x ? k : 0), 0, photo.width - 1),
                          std::clamp(y + (along_x ? 0 : k), 0, photo.height - 1), c);
        result.at(x, y, c) = sum / static_cast<float>(length_px / 2 * 2 + 1);
      }
  return result;
}

/// All photos in motion blur, each in another direction than the one before: few points, and it is said; or sound ones.
TEST_F(Densify, MotionBlurIsSaidOrDoesNoHarm) {
  const auto blurred = *folder_ / "blurred";
  std::filesystem::copy(*folder_ / "scene", blurred, std::filesystem::copy_options::recursive);
  const Scene s = load_scene(blurred);
  for (size_t i = 0; i < s.images.size(); ++i) {
    const auto path = blurred / "images" / s.images[i].name;
    write_jpeg(path, shaken(to_float(read_image(path)), 15, i % 2 == 0));
  }
  try {
    const DenseResult result = densify(s, make_split(s, "every8").train, {}, work("blurred"));
    const CloudTruth truth = truth_of(s, world_positions(s, result.points), 2000);
    RecordProperty("confirmed_share", std::to_string(result.confirmed_share));
    RecordProperty("far_share", std::to_string(truth.far_share));
    EXPECT_TRUE(result.confirmed_share < doubtful_share || truth.far_share < 0.2)
        << result.confirmed_share << " confirmed, " << truth.far_share << " far";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("blurred"), std::string::npos) << error.what();
  }
}

TEST_F(Densify, HeaderSaysWhichPhotos) {
  const Scene s = scene();
  const Split split = make_split(s, "every8");
  DenseResult result;
  result.photos = split.train;
  const auto lines = dense_comments(s, result, split.name, split.held_out);
  const auto has = [&](const std::string& line) { return std::count(lines.begin(), lines.end(), line) == 1; };
  EXPECT_TRUE(has("dense_split every8"));
  EXPECT_TRUE(has("dense_photo photo_0001.jpg"));
  EXPECT_TRUE(has("dense_left_out photo_0008.jpg"));
  PointCloud cloud;
  cloud.position = {{1, 2, 3}, {4, 5, 6}};
  cloud.color = {{1, 2, 3}, {4, 5, 6}};
  write_ply(*folder_ / "c.ply", cloud, Vec3<double>(0), {lines, {0.25f, 0.75f}, {}});
  const PlyContents back = read_ply(*folder_ / "c.ply");
  EXPECT_EQ(back.comments, lines);
  EXPECT_EQ(back.confidence, (std::vector<float>{0.25f, 0.75f}));
  EXPECT_EQ(back.cloud.position, cloud.position);
}

}  // namespace
}  // namespace ptl
