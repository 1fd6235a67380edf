// Photos of a camera that moves: renderings along an exposure, what its motion is fitted by, and where that begins.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "datasets/image_io.h"
#include "datasets/prepare.h"
#include "datasets/scene_loader.h"
#include "datasets/shutter.h"
#include "datasets/split.h"
#include "renderer/exposure_motion.h"
#include "renderer/image_tensor.h"
#include "renderer/model_file.h"
#include "renderer/motion_blur.h"
#include "renderer/optimizer.h"
#include "renderer/structure_steps.h"
#include "tests/support/fit_scene.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

using torch::Tensor;

class PhotoMotionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_fit_scene(folder_ / "scene", {.images = 10, .width_px = 192, .height_px = 144, .points = 60000});
    scene_ = load_scene(folder_ / "scene");
    config_ = preset_config("quick");
    config_.environment.enabled = false;
    config_.raster.layers = 4;
  }
  SceneModel model() {
    return make_scene_model(scene_, make_split(scene_, "every8"), prepare_points(scene_, {}), config_, 4);
  }
  TemporaryFolder folder_;
  Scene scene_;
  FitConfig config_;
};

constexpr int64_t image = 4;

/// A turn that moves the middle of the photo by so many pixels to the right and down.
Tangent<double> turn_by(const RenderView& view, double x_px, double y_px) {
  const double focal_px = focal_length_px(view.camera);
  return {Vec3<double>(0), Vec3<double>(-y_px / focal_px, x_px / focal_px, 0)};
}

TEST_F(PhotoMotionTest, RenderingsOfAnExposure) {
  const SceneModel made = model();  // focal length 192; motions in depths, so that all points move alike
  RenderView view = photo_view(made, image);
  EXPECT_EQ(exposure_samples(made, view), 1);
  const auto samples = [&](double moved_px, float zoom) {
    view.exposure_motion.translation.x = moved_px / 192 * made.median_depth_m;
    view.crop.zoom = zoom;
    return exposure_samples(made, view);
  };
  EXPECT_EQ(samples(0.3, 1), 2);
  EXPECT_EQ(samples(5.5, 1), 3);
  EXPECT_EQ(samples(5.5, 0.5f), 2);
  EXPECT_EQ(samples(7, 2), 7);
  EXPECT_EQ(samples(100, 1), 8);
}

TEST_F(PhotoMotionTest, AnExposureIsTheMeanOfItsPoses) {
  const torch::NoGradGuard no_gradient;
  const SceneModel made = model();
  RenderView view = photo_view(made, image);
  const Tensor still = render_radiance(made, view);
  view.exposure_motion = turn_by(view, 5.5, 0);
  ASSERT_EQ(exposure_samples(made, view), 3);
  Tensor sum = torch::zeros_like(still);
  for (const double s : {-1.0 / 3, 0.0, 1.0 / 3}) {
    RenderView sharp = photo_view(made, image);
    sharp.camera_from_world = exp(Tangent<double>{Vec3<double>(0), s * view.exposure_motion.rotation}) * sharp.camera_from_world;
    sum += render_radiance(made, sharp);
  }
  const Tensor blurred = render_radiance(made, view);
  EXPECT_LT((blurred - sum / 3).abs().max().item<float>(), 1e-5f);
  EXPECT_GT((blurred - still).abs().max().item<float>(), 1e-3f);
}

TEST_F(PhotoMotionTest, TheMotionsGradientIsThatOfThePosesByTheirMoments) {
  config_.groups.poses.frozen = config_.groups.motion_blur.frozen = config_.groups.rolling_shutter.frozen = false;
  SceneModel made = model();
  made.images[image].exposure_motion = turn_by(photo_view(made, image), 5.5, 2);
  const StructureSteps structure(made);
  TrainingDraw draw{3, 1, 0, structure.inputs(made, image)};
  ASSERT_TRUE(draw.structure.readout_motion.defined());
  const RenderView view = photo_view(made, image);
  const int samples = exposure_samples(made, view);
  const Tensor weight = torch::linspace(-1, 1, 3 * view.crop.height_px * view.crop.width_px)
                            .view({3, view.crop.height_px, view.crop.width_px});
  const Tensor loss = (render_radiance(made, view, &draw) * weight).sum();
  const auto found = torch::autograd::grad({loss}, {structure.pose, structure.exposure, structure.readout});
  Tensor of_pose = torch::zeros_like(structure.pose), of_exposure = torch::zeros_like(structure.pose);
  for (int k = 0; k < samples; ++k) {
    const double s = (k + 0.5) / samples - 0.5;
    RenderView sharp = view;
    sharp.exposure_motion = {};
    sharp.camera_from_world = exp(Tangent<double>{Vec3<double>(0), s * view.exposure_motion.rotation}) * view.camera_from_world;
    TrainingDraw sharp_draw{3, 1, 0, structure.inputs(made, image)};
    const Tensor part = (render_radiance(made, sharp, &sharp_draw) * weight).sum() / samples;
    const Tensor gradient = torch::autograd::grad({part}, {structure.pose})[0];
    of_pose += gradient;
    of_exposure += s * gradient;
  }
  EXPECT_GT(of_pose.abs().max().item<double>(), 0);
  EXPECT_TRUE(torch::allclose(found[0], of_pose, 1e-4, 1e-9)) << found[0][image] << of_pose[image];
  EXPECT_TRUE(torch::allclose(found[1], of_exposure, 1e-4, 1e-9)) << found[1][image] << of_exposure[image];
  EXPECT_GT(found[2][image].abs().max().item<double>(), 0) << "the readout's, also of a camera that stood still so far";
}

/// Steps of Adam on the mean squared difference of what a model shows of the photo to what is wanted.
void pull_readout(SceneModel& model, const Tensor& wanted, int count) {
  StructureSteps structure(model);
  Optimizer optimizer;
  optimizer.add(model.config.groups.rolling_shutter, {{"readout", structure.readout}});
  StructureReport report;
  for (int step = 0; step < count; ++step) {
    optimizer.zero_grad();
    TrainingDraw draw{static_cast<uint64_t>(step), 1, 0, structure.inputs(model, image)};
    (render_radiance(model, photo_view(model, image), &draw) - wanted).square().mean().backward();
    optimizer.step(step, {{"rolling_shutter", 1.0 - static_cast<double>(step) / count}});
    structure.apply(model, report);
  }
  EXPECT_TRUE(report.held_images.empty());
}

double left_px(const SceneModel& model, const Tangent<double>& is, const Tangent<double>& should) {
  return mean_motion_px(model.camera_of(image).params, model.median_depth_m,
                        {is.translation - should.translation, is.rotation - should.rotation});
}

TEST_F(PhotoMotionTest, AReadoutsMotionIsFittedFromNothing) {
  config_.groups.rolling_shutter.frozen = false;
  config_.raster.descriptor_init = DescriptorInit::uniform;
  SceneModel made = model();
  const Tangent<double> moved{{0.05, -0.08, 0}, {0.02, 0.04, 0.01}};
  made.images[image].readout_motion = moved;
  const Tensor wanted = render_radiance(made, photo_view(made, image)).detach();
  made.images[image].readout_motion = {};
  const double before_px = left_px(made, {}, moved);
  EXPECT_GT(before_px, 4);
  pull_readout(made, wanted, 60);
  EXPECT_LT(left_px(made, made.images[image].readout_motion, moved), before_px / 5);
}

TEST_F(PhotoMotionTest, AFirstMotionIsFoundInThePhoto) {
  const torch::NoGradGuard no_gradient;
  const SceneModel made = model();
  const RenderView view = photo_view(made, image);
  const PhotometricSetting setting = photometric_setting(made, image, ExposureProtocol::exif);
  const auto found = [&](double x_px, double y_px) {
    RenderView moving = view;
    if (x_px != 0 || y_px != 0) moving.exposure_motion = turn_by(view, x_px, y_px);
    write_png(scene_.images[image].photo_path, image_from_tensor(develop(made, render_radiance(made, moving), image, view, setting)));
    ImageCache photos(image_sources(scene_), 1 << 26);
    const Tangent<double> motion = find_exposure_motion(made, photos, image, view, setting, view.crop.width_px);
    const double focal_px = focal_length_px(view.camera);
    return Vec2<double>(focal_px * motion.rotation.y, -focal_px * motion.rotation.x);
  };
  EXPECT_EQ(found(0, 0), Vec2<double>(0)) << "a sharp photo";
  for (const Vec2<double>& moved : {Vec2<double>(12, 0), Vec2<double>(0, 14), Vec2<double>(8, 8), Vec2<double>(9, -9)}) {
    const Vec2<double> is = found(moved.x, moved.y);
    const double along = std::abs(glm::dot(is, moved)) / glm::length(moved);
    EXPECT_GT(along, 0.65 * glm::length(moved)) << moved.x << ", " << moved.y << " found " << is.x << ", " << is.y;
    EXPECT_LT(along, 1.5 * glm::length(moved)) << moved.x << ", " << moved.y << " found " << is.x << ", " << is.y;
    EXPECT_GT(along, 0.93 * glm::length(is)) << moved.x << ", " << moved.y << " found " << is.x << ", " << is.y;
  }
}

TEST_F(PhotoMotionTest, StepsStayWithinTheirLimit) {
  config_.groups.rolling_shutter.frozen = config_.groups.motion_blur.frozen = false;
  config_.structure.max_pose_shift = 0.05;
  SceneModel made = model();
  StructureSteps structure(made);
  StructureReport report;
  const auto turn = [&](Tensor& steps, int64_t of, double radians) {  // pose_from_steps mixes; what is wanted, solved for
    const Tensor wanted = torch::tensor({0.0, 0.0, 0.0, 0.0, radians, 0.0}, torch::kDouble);
    steps.detach()[of] = torch::linalg_solve(made.pose_from_steps[of], wanted);
  };
  turn(structure.readout, 3, 0.03);
  turn(structure.exposure, 5, 0.04);
  structure.apply(made, report);
  EXPECT_TRUE(report.held_images.empty());
  EXPECT_NEAR(made.images[3].readout_motion.rotation.y, 0.03, 1e-12);
  EXPECT_NEAR(made.images[5].exposure_motion.rotation.y, 0.04, 1e-12);
  EXPECT_EQ(structure.readout.abs().max().item<double>(), 0);
  turn(structure.readout, 3, 0.03);
  turn(structure.exposure, 5, std::nan(""));
  structure.apply(made, report);
  EXPECT_EQ(report.held_images, (std::vector<int64_t>{3, 5}));
  EXPECT_NEAR(made.images[3].readout_motion.rotation.y, 0.03, 1e-12);
  EXPECT_NEAR(made.images[5].exposure_motion.rotation.y, 0.04, 1e-12);
}

TEST_F(PhotoMotionTest, AModelsFileKeepsThem) {
  SceneModel made = model();
  made.images[2].readout_motion = {{0.1, -0.2, 0.3}, {0.01, 0.02, -0.03}};
  made.images[5].exposure_motion = {{-1e-3, 0, 0}, {0, 1e-9, 0.5}};
  write_model(folder_ / "model.safetensors", made);
  const SceneModel read = read_model(folder_ / "model.safetensors", torch::kCPU);
  for (size_t i = 0; i < made.images.size(); ++i)
    for (const auto motion : {&ModelImage::readout_motion, &ModelImage::exposure_motion}) {
      EXPECT_EQ((read.images[i].*motion).translation, (made.images[i].*motion).translation) << i;
      EXPECT_EQ((read.images[i].*motion).rotation, (made.images[i].*motion).rotation) << i;
    }
}

}  // namespace
}  // namespace ptl::testing
