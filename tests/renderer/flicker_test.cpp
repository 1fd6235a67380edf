// Flicker: what is compared and how, by hand; walks; and that true pictures of a place, moved by their depth, hardly
// change.
#include "renderer/flicker.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "datasets/synthetic_write.h"
#include "renderer/image_tensor.h"
#include "renderer/unfitted_model.h"
#include "tests/support/expect_input_error.h"
#include "tests/support/temporary_folder.h"

namespace ptl {
namespace {

using testing::TemporaryFolder;

/// 8 × 4 px, focal length 10 px, a wall at a depth of 5: a step of 0.5 to the side moves it by one pixel.
FlickerFrame wall_frame(double camera_x, float depth_m = 5) {
  FlickerFrame frame;
  frame.camera.width_px = 8;
  frame.camera.height_px = 4;
  double* const v = frame.camera.value;
  v[PinholeModel::fx] = v[PinholeModel::fy] = 10;
  v[PinholeModel::cx] = 4;
  v[PinholeModel::cy] = 2;
  update_valid_radius(frame.camera);
  frame.camera_from_world.translation.x = -camera_x;
  frame.picture = Image(8, 4, 3, 0.5f);
  frame.depth_m = Image(8, 4, 1, depth_m);
  return frame;
}

/// Red changes evenly along the wall: pixel x of a camera at `camera_x` shows the wall at (x - 3.5) / 2 + camera_x.
void paint_slope(FlickerFrame& frame, double camera_x) {
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 8; ++x) frame.picture.at(x, y, 0) = static_cast<float>(0.4 + 0.05 * ((x - 3.5) / 2 + camera_x));
}

TEST(FrameChange, AWallThatMovesByAPixelDoesNotChange) {
  FlickerFrame before = wall_frame(0), now = wall_frame(0.5);
  paint_slope(before, 0);
  paint_slope(now, 0.5);
  // Pixel x shows what x + 1 showed. Between the middles of four pixels: columns 0 to 5, rows 0 to 2.
  const FrameChange change = frame_change(before, now);
  EXPECT_EQ(change.compared, 18);
  EXPECT_NEAR(change.sum_levels, 0, 1e-3);
}

TEST(FrameChange, BetweenPixelsItInterpolates) {
  FlickerFrame before = wall_frame(0), now = wall_frame(0.25);
  paint_slope(before, 0);
  paint_slope(now, 0.25);
  const FrameChange change = frame_change(before, now);
  EXPECT_EQ(change.compared, 21);  // columns 0 to 6
  EXPECT_NEAR(change.sum_levels, 0, 1e-3);
}

TEST(FrameChange, CountsLevelsOfTheMeanChannel) {
  FlickerFrame before = wall_frame(0), now = wall_frame(0.5);
  for (float& value : now.picture.pixels) value = 0.5f;
  for (int y = 0; y < 4; ++y) now.picture.at(3, y, 1) = 0.5f + 30.0f / 255;
  // One column of three rows, 30 levels in one of three channels.
  EXPECT_NEAR(frame_change(before, now).sum_levels, 3 * 10, 1e-3);
}

TEST(FrameChange, LeavesOutWhatWasHiddenOrIsNotKnown) {
  FlickerFrame before = wall_frame(0), now = wall_frame(0.5);
  before.depth_m.at(4, 1, 0) = 3;                                       // something stood before the wall
  before.depth_m.at(5, 1, 0) = std::numeric_limits<float>::infinity();  // nothing known there
  now.depth_m.at(0, 0, 0) = std::numeric_limits<float>::infinity();     // or here
  before.depth_m.at(2, 2, 0) = 5.09f;                                   // within 2 %: still the wall
  EXPECT_EQ(frame_change(before, now).compared, 18 - 3);
}

/// A small synthetic scene, as it is shown without a fit.
class FlickerOfAScene : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    SyntheticOptions options;
    options.photos = 10;
    options.width_px = 120;
    options.height_px = 80;
    options.samples = 4;
    write_synthetic_scene(options, folder_->path() / "scene");
    shown_ = new Shown(open_shown(folder_->path() / "scene", {}, torch::kCPU));
  }
  static void TearDownTestSuite() {
    delete shown_;
    delete folder_;
  }
  static TemporaryFolder* folder_;
  static Shown* shown_;
};
TemporaryFolder* FlickerOfAScene::folder_ = nullptr;
Shown* FlickerOfAScene::shown_ = nullptr;

TEST_F(FlickerOfAScene, WalksBeginAtHeldOutPhotosAndMoveByTwoPixels) {
  const SceneModel& model = shown_->run.model;
  const std::vector<FlickerShot> walks = flicker_walks(model, 4, 5);
  ASSERT_EQ(walks.size(), 2u);  // photos 0 and 8
  for (const FlickerShot& walk : walks) {
    ASSERT_EQ(walk.size(), 5u);
    EXPECT_TRUE(model.images[static_cast<size_t>(walk[0].image)].held_out);
    EXPECT_LT(glm::length(camera_centre(walk[0].view.camera_from_world) -
                          camera_centre(model.images[static_cast<size_t>(walk[0].image)].camera_from_world)),
              1e-9);
    const Image depths = image_from_tensor(render_depth(model, walk[0].view));
    double sum = 0;
    int count = 0;
    const Pose<double> step = walk[1].view.camera_from_world * inverse(walk[0].view.camera_from_world);
    for (int y = 0; y < depths.height; ++y)
      for (int x = 0; x < depths.width; ++x) {
        Vec3<double> ray;
        if (!std::isfinite(depths.at(x, y, 0)) || !unproject_ray(walk[0].view.camera, x + 0.5, y + 0.5, ray)) continue;
        const Projection<double> p =
            project(walk[0].view.camera, step * (ray * static_cast<double>(depths.at(x, y, 0))));
        if (!p.valid) continue;
        sum += std::hypot(p.x_px - x - 0.5, p.y_px - y - 0.5);
        ++count;
      }
    EXPECT_NEAR(sum / count, 2, 0.2);
  }
}

TEST_F(FlickerOfAScene, TruthKnowsThePlaceAndHardlyChanges) {
  const SceneModel& model = shown_->run.model;
  const TrueFrame truth = synthetic_truth(model, folder_->path() / "scene");
  ASSERT_TRUE(truth);
  const std::vector<FlickerShot> walks = flicker_walks(model, 1, 3);
  // The first frame is the held-out photo itself: the photo's file says the same, but for JPEG and the draws of its
  // rays.
  const FlickerFrame first = truth(walks[0][0], 0);
  const Image& photo = shown_->photos->photo(static_cast<int>(walks[0][0].image));
  double difference = 0;
  for (size_t i = 0; i < photo.pixels.size(); ++i) difference += std::fabs(photo.pixels[i] - first.picture.pixels[i]);
  EXPECT_LT(255 * difference / static_cast<double>(photo.pixels.size()), 6);

  // Moved by its depth the second frame is like the first; taken as it is, it is not.
  FlickerFrame second = truth(walks[0][1], 1);
  const FrameChange moved = frame_change(first, second);
  second.camera_from_world = first.camera_from_world;
  const FrameChange still = frame_change(first, second);
  EXPECT_LT(moved.sum_levels / static_cast<double>(moved.compared),
            0.6 * still.sum_levels / static_cast<double>(still.compared));

  const FlickerScore score = measure_flicker(model, walks, truth);
  EXPECT_EQ(score.pairs, 2);
  ASSERT_TRUE(score.truth_levels);
  EXPECT_GT(*score.truth_levels, 0);
  EXPECT_GT(score.levels, 0);
  EXPECT_GT(score.compared, 0.4);
  EXPECT_EQ(measure_flicker(model, walks, truth).levels, score.levels);
}

TEST_F(FlickerOfAScene, WithoutTruthThePointsSayTheDepth) {
  const SceneModel& model = shown_->run.model;
  const std::vector<FlickerShot> walks = flicker_walks(model, 1, 3);
  const FlickerScore score = measure_flicker(model, walks, {});
  EXPECT_FALSE(score.truth_levels);
  EXPECT_GT(score.compared, 0.4);
  EXPECT_FALSE(synthetic_truth(model, folder_->path()));
}

TEST_F(FlickerOfAScene, FramesThatShareNothingAreRefused) {
  const SceneModel& model = shown_->run.model;
  testing::expect_input_error([&] { measure_flicker(model, {{flicker_walks(model, 1, 2)[0][0]}}, {}); },
                              {"flicker", "two frames"});
}

TEST(SyntheticOptionsOfAFolder, AreThoseItWasMadeBy) {
  const TemporaryFolder folder;
  SyntheticOptions options;
  options.seed = 3;
  options.photos = 2;
  options.width_px = 32;
  options.height_px = 24;
  options.samples = 1;
  options.camera = CameraModel::fisheye;
  options.bracket_ev = 1;
  options.color_of = {2, 0, 1};
  write_synthetic_scene(options, folder.path() / "scene");
  const std::optional<SyntheticOptions> read = read_synthetic_options(folder.path() / "scene");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->seed, 3u);
  EXPECT_EQ(read->width_px, 32);
  EXPECT_EQ(read->samples, 1);
  EXPECT_EQ(read->camera, CameraModel::fisheye);
  EXPECT_EQ(read->bracket_ev, 1);
  EXPECT_EQ(read->color_of, options.color_of);
  EXPECT_FALSE(read_synthetic_options(folder.path()));
}

}  // namespace
}  // namespace ptl
