// Structure gradients through autograd, and what an optimiser's steps do to poses, cameras and points. The formulas'
// own tests: tests/kernels/structure_grad_test.cpp.
#include <gtest/gtest.h>

#include <cmath>

#include "datasets/prepare.h"
#include "datasets/scene_loader.h"
#include "datasets/split.h"
#include "kernels/point_blocks.h"
#include "renderer/fit.h"
#include "renderer/model_file.h"
#include "renderer/pipeline.h"
#include "renderer/structure_steps.h"
#include "tests/support/fit_scene.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

using torch::Tensor;

class StructureTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_fit_scene(folder_ / "scene", {.images = 10, .width_px = 128, .height_px = 96, .points = 20000});
    scene_ = load_scene(folder_ / "scene");
    config_ = preset_config("quick");
    config_.crop.size_px = 64;
    config_.raster.layers = 3;
    config_.environment.enabled = false;
  }
  SceneModel model() {
    return make_scene_model(scene_, make_split(scene_, "every8"), prepare_points(scene_, {}), config_, 3);
  }
  void fit(std::initializer_list<GroupConfig*> groups) {
    for (GroupConfig* group : groups) group->frozen = false;
  }
  void fit_all() {
    GroupSettings& groups = config_.groups;
    fit({&groups.points, &groups.poses, &groups.intrinsics, &groups.distortion});
  }
  TemporaryFolder folder_;
  Scene scene_;
  FitConfig config_;
};

/// What the pyramid displays of an image, with structure gradients; a fresh draw of ghosts for each step.
Tensor displayed(const SceneModel& model, int64_t image, const StructureInputs& inputs, uint64_t step) {
  TrainingDraw draw{step, 1, 0, inputs};
  return render_pyramid(model, photo_view(model, image), &draw).filled;
}

/// Pixels between where the points of an image are seen from two poses or cameras, root mean square.
double distance_px(const SceneModel& model, int64_t image, const Pose<double>& pose,
                   const CameraParams<double>& camera) {
  const ModelImage& entry = model.images[static_cast<size_t>(image)];
  double sum = 0;
  int count = 0;
  for (const Vec3<float>& p : model_cloud(model).position) {
    const auto a = project(model.camera_of(image).params, entry.camera_from_world * Vec3<double>(p));
    const auto b = project(camera, pose * Vec3<double>(p));
    if (!a.valid || !b.valid || a.x_px < 0 || a.x_px > camera.width_px || a.y_px < 0 || a.y_px > camera.height_px)
      continue;
    sum += (a.x_px - b.x_px) * (a.x_px - b.x_px) + (a.y_px - b.y_px) * (a.y_px - b.y_px);
    ++count;
  }
  return std::sqrt(sum / count);
}

/// Steps of Adam on the mean squared difference of an image's pyramid to a wanted one.
void pull(SceneModel& model, int64_t image, const Tensor& wanted, int steps) {
  StructureSteps structure(model);
  Optimizer optimizer;
  const GroupSettings& groups = model.config.groups;
  if (structure.pose.defined()) optimizer.add(groups.poses, {{"pose", structure.pose}});
  if (structure.intrinsics.defined()) optimizer.add(groups.intrinsics, {{"intrinsics", structure.intrinsics}});
  if (structure.distortion.defined()) optimizer.add(groups.distortion, {{"distortion", structure.distortion}});
  StructureReport report;
  for (int step = 0; step < steps; ++step) {
    optimizer.zero_grad();
    const Tensor shown = displayed(model, image, structure.inputs(model, image), static_cast<uint64_t>(step));
    (shown - wanted).square().mean().backward();
    const double rate = 1.0 - static_cast<double>(step) / steps;
    optimizer.step(step, {{"poses", rate}, {"intrinsics", rate}, {"distortion", rate}});
    structure.apply(model, report);
  }
  EXPECT_TRUE(report.held_images.empty());
}

/// The pyramid without ghosts: what the scene looks like where everything is right.
Tensor truth(const SceneModel& model, int64_t image) {
  const torch::NoGradGuard no_gradient;
  return render_pyramid(model, photo_view(model, image), nullptr).filled.clone();
}

TEST_F(StructureTest, APoseThatIsOffComesBack) {
  fit({&config_.groups.poses});
  config_.groups.poses.learning_rate = 2e-3;
  for (const NeighbourRule rule : {NeighbourRule::tested, NeighbourRule::overriding})
    for (const StructurePoints points : {StructurePoints::ghosts, StructurePoints::drawn}) {
      config_.structure.neighbours = rule;
      config_.structure.points = points;
      SceneModel moved = model();
      constexpr int64_t image = 4;
      const Tensor wanted = truth(moved, image);
      Pose<double>& pose = moved.images[image].camera_from_world;
      const Pose<double> given = pose;
      pose = exp(Tangent<double>{{0.04, -0.03, 0.05}, {0.005, 0.01, -0.01}}) * pose;
      const CameraParams<double> camera = moved.camera_of(image).params;
      const double before = distance_px(moved, image, given, camera);
      EXPECT_GT(before, 1.5);
      pull(moved, image, wanted, 150);
      EXPECT_LT(distance_px(moved, image, given, camera), before / 5)
          << "rule " << int(rule) << " points " << int(points);
    }
}

TEST_F(StructureTest, ACameraThatIsOffComesBack) {
  fit({&config_.groups.intrinsics, &config_.groups.distortion});
  config_.groups.intrinsics.learning_rate = 1e-3;
  config_.groups.distortion.learning_rate = 2e-3;
  SceneModel moved = model();
  constexpr int64_t image = 4;
  const Tensor wanted = truth(moved, image);
  CameraParams<double>& camera = moved.cameras[0].params;
  const CameraParams<double> given = camera;
  camera.value[PinholeModel::fx] *= 1.02;
  camera.value[PinholeModel::fy] *= 1.02;
  camera.value[PinholeModel::cx] += 1.5;
  camera.value[PinholeModel::k1] = 0.02;
  update_valid_radius(camera);
  const Pose<double> pose = moved.images[image].camera_from_world;
  const double before = distance_px(moved, image, pose, given);
  EXPECT_GT(before, 1.5);
  pull(moved, image, wanted, 150);
  EXPECT_LT(distance_px(moved, image, pose, given), before / 5);
  EXPECT_EQ(camera.value[PinholeModel::skew], 0) << "skew is not optimised";
  EXPECT_NE(camera.valid_radius, given.valid_radius) << "it follows the parameters";
}

TEST_F(StructureTest, ItIsTheIdentityAndPositionGradientsAreRowsOfGhosts) {
  fit_all();
  SceneModel still = model();
  StructureSteps structure(still);
  TrainingDraw draw{3, 1, 0, {}};
  const Tensor plain = render_pyramid(still, photo_view(still, 4), &draw).filled;
  const Tensor shown = displayed(still, 4, structure.inputs(still, 4), 3);
  EXPECT_TRUE(torch::equal(plain, shown));
  const Tensor weights = torch::rand_like(shown);
  const auto gradients =
      torch::autograd::grad({(shown * weights).sum()}, {still.descriptors, structure.position, structure.pose});
  const Tensor as_ever = torch::autograd::grad({(plain * weights).sum()}, {still.descriptors})[0];
  EXPECT_TRUE(torch::equal(gradients[0].to_dense(), as_ever.to_dense()))
      << "descriptors have the gradient that they had";
  ASSERT_TRUE(gradients[1].is_sparse());
  const int64_t rows = gradients[1]._nnz(), all = as_ever._nnz();
  EXPECT_GT(rows, all / 8);
  EXPECT_LT(rows, all / 3);
  EXPECT_EQ((gradients[2] != 0).any(1).sum().item<int64_t>(), 1) << "the pose of one image";
}

TEST_F(StructureTest, TheOperatorNamesWhatIsWrong) {
  ASSERT_TRUE(c10::Dispatcher::singleton().findSchema({"ptl::structure_gradient", ""}).has_value());
  SceneModel still = model();
  const auto error_of = [&](Tensor StructureInputs::* input, const Tensor& value) -> std::string {
    StructureInputs inputs;
    inputs.*input = value;
    try {
      displayed(still, 4, inputs, 0);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(error_of(&StructureInputs::position, torch::zeros({still.points.size(), 3})), "");
  const std::pair<const char*, std::string> wrong[] = {
      {"structure_gradient: position: expected", error_of(&StructureInputs::position, torch::zeros({5, 3}))},
      {"structure_gradient: pose_tangent: expected Double", error_of(&StructureInputs::pose_tangent, torch::zeros({6}))},
      {"structure_gradient: camera: expected", error_of(&StructureInputs::camera, torch::zeros({13}, torch::kDouble))},
      {"structure_gradient: readout_motion: expected", error_of(&StructureInputs::readout_motion, torch::zeros({5}, torch::kDouble))}};
  for (const auto& [expected, found] : wrong) EXPECT_NE(found.find(expected), std::string::npos) << expected << ", found " << found;
}

TEST_F(StructureTest, StepsMoveTheModelAndBecomeZero) {
  fit_all();
  config_.structure.even_pose_steps = false;  // those: pose_steps_test.cpp
  SceneModel moved = model();
  moved.config.groups.points.frozen = true;  // and so no gauge
  StructureSteps structure(moved);
  EXPECT_FALSE(structure.position.defined());
  const Pose<double> before = moved.images[3].camera_from_world;
  const CameraParams<double> camera = moved.cameras[0].params;
  {
    const torch::NoGradGuard no_gradient;
    structure.pose[3][0] = 0.01;
    structure.pose[3][5] = 0.02;
    structure.intrinsics[0][PinholeModel::fx] = 0.01;
    structure.distortion[0][PinholeModel::k1] = 0.01;
    structure.distortion[0][PinholeModel::p1] = 0.01;
  }
  StructureReport report;
  structure.apply(moved, report);
  const Pose<double> expected = exp(Tangent<double>{{0.01 * moved.median_depth_m, 0, 0}, {0, 0, 0.02}}) * before;
  EXPECT_NEAR(moved.median_depth_m, 4, 1e-6) << "the wall is at z = 4";
  EXPECT_NEAR(glm::distance(moved.images[3].camera_from_world.translation, expected.translation), 0, 1e-14);
  EXPECT_NEAR(moved.images[3].camera_from_world.rotation[0].y, expected.rotation[0].y, 1e-15);
  EXPECT_EQ(moved.images[3].given_camera_from_world.translation, before.translation);
  EXPECT_DOUBLE_EQ(moved.cameras[0].params.value[PinholeModel::fx], camera.value[PinholeModel::fx] + 0.01 * 128);
  EXPECT_DOUBLE_EQ(moved.cameras[0].params.value[PinholeModel::k1], 0.01);
  EXPECT_DOUBLE_EQ(moved.cameras[0].params.value[PinholeModel::p1], 0.001) << "a tenth of k1's rate";
  EXPECT_DOUBLE_EQ(moved.cameras[0].given.value[PinholeModel::fx], camera.value[PinholeModel::fx]);
  for (const Tensor& steps : {structure.pose, structure.intrinsics, structure.distortion})
    EXPECT_EQ(steps.abs().sum().item<double>(), 0);
  EXPECT_TRUE(report.held_images.empty());
}

TEST_F(StructureTest, ACameraKeepsItsModel) {
  fit({&config_.groups.intrinsics, &config_.groups.distortion});
  SceneModel moved = model();
  moved.cameras[0].colmap_model_id = 2;  // SIMPLE_RADIAL: f, cx, cy, k1
  StructureSteps structure(moved);
  const CameraParams<double> camera = moved.cameras[0].params;
  // The gradient of the only focal length is that of both.
  Tensor of_camera = torch::zeros({camera_param_capacity}, torch::kDouble);
  of_camera[PinholeModel::fx] = 3;
  of_camera[PinholeModel::fy] = 4;
  of_camera[PinholeModel::k2] = 5;
  structure.inputs(moved, 3).camera.backward(of_camera);
  EXPECT_DOUBLE_EQ(structure.intrinsics.grad()[0][PinholeModel::fx].item<double>(),
                   128 * (3 + 4 * camera.value[PinholeModel::fy] / camera.value[PinholeModel::fx]));
  EXPECT_EQ(structure.intrinsics.grad()[0][PinholeModel::fy].item<double>(), 0);
  EXPECT_EQ(structure.distortion.grad().abs().sum().item<double>(), 0) << "it has no k2";
  {
    const torch::NoGradGuard no_gradient;
    structure.intrinsics.fill_(0.01);
    structure.distortion.fill_(0.01);
  }
  StructureReport report;
  structure.apply(moved, report);
  const double* const value = moved.cameras[0].params.value;
  EXPECT_DOUBLE_EQ(value[PinholeModel::fx], camera.value[PinholeModel::fx] + 0.01 * 128);
  EXPECT_DOUBLE_EQ(value[PinholeModel::fy] / value[PinholeModel::fx],
                   camera.value[PinholeModel::fy] / camera.value[PinholeModel::fx]);
  EXPECT_DOUBLE_EQ(value[PinholeModel::k1], camera.value[PinholeModel::k1] + 0.01);
  for (const int k : {PinholeModel::k2, PinholeModel::p1, PinholeModel::p2, PinholeModel::k3, PinholeModel::k6})
    EXPECT_EQ(value[k], camera.value[k]) << "parameter " << k;
}

TEST_F(StructureTest, APoseThatWantsToLeaveIsHeldAndNamed) {
  fit({&config_.groups.poses});
  config_.structure.even_pose_steps = false;
  SceneModel moved = model();
  StructureSteps structure(moved);
  const Pose<double> before = moved.images[3].camera_from_world;
  StructureReport report;
  for (const double step : {5.0, std::numeric_limits<double>::quiet_NaN(), 0.05}) {
    {
      const torch::NoGradGuard no_gradient;
      structure.pose[3][1] = step;
      structure.pose[5][4] = 0.01;
    }
    structure.apply(moved, report);
  }
  EXPECT_EQ(report.held_images, (std::vector<int64_t>{3})) << "once";
  EXPECT_NEAR(glm::distance(moved.images[3].camera_from_world.translation, before.translation),
              0.05 * moved.median_depth_m, 1e-12)
      << "the step that it could take was taken";
  EXPECT_NE(moved.images[5].camera_from_world.rotation[0].z, moved.images[5].given_camera_from_world.rotation[0].z);
}

TEST_F(StructureTest, APointThatWantsToLeaveIsHeldAndBoundsFollow) {
  fit({&config_.groups.points});
  SceneModel moved = model();
  StructureSteps structure(moved);
  const double limit_m = moved.config.structure.max_point_shift * moved.median_depth_m;
  const Tensor given = moved.points.position.clone();
  {
    const torch::NoGradGuard no_gradient;
    structure.position[300] += torch::tensor({0.0f, 10.0f, 0.0f});                            // beyond
    structure.position[301][0] = std::numeric_limits<float>::infinity();                      // lost
    structure.position[302] += torch::tensor({0.0f, 0.0f, static_cast<float>(limit_m / 2)});  // within
  }
  structure.position.mutable_grad() = at::_sparse_coo_tensor_unsafe(
      torch::tensor({300, 301, 302}).unsqueeze(0), torch::ones({3, 3}), {moved.points.size(), 3},
      torch::TensorOptions().dtype(torch::kFloat).layout(torch::kSparse));
  StructureReport report;
  structure.apply(moved, report);
  EXPECT_EQ(report.held_points, 2);
  const Tensor shift = moved.points.position - given;  // the model shares the leaf's memory
  EXPECT_NEAR(shift[300][1].item<double>(), limit_m, 1e-6);
  EXPECT_EQ(shift[301].abs().sum().item<float>(), 0);
  EXPECT_NEAR(shift[302][2].item<double>(), limit_m / 2, 1e-6);
  Tensor bounds = torch::empty_like(moved.points.block_bounds);
  compute_block_bounds(Device{}, moved.points.position.const_data_ptr<float>(), moved.points.size(),
                       bounds.mutable_data_ptr<float>());
  EXPECT_TRUE(torch::equal(bounds, moved.points.block_bounds));
}

TEST(PoseGauge, AMotionAndScalingOfAllPosesIsTakenBack) {
  std::vector<Pose<double>> before;
  for (int i = 0; i < 7; ++i)
    before.push_back(
        exp(Tangent<double>{{0.3 * i - 1, 0.2 * i * i - 2, 1.0 + std::sin(i)}, {0.2 * i, -0.1 * i, 0.05 * i}}));
  const std::vector<int64_t> training = {0, 1, 2, 4, 5, 6};
  const Pose<double> drift = exp(Tangent<double>{{1e-4, -2e-4, 3e-4}, {2e-4, 1e-4, -1e-4}});
  std::vector<Pose<double>> after = before;
  for (const int64_t i : training) {
    Pose<double>& pose = after[static_cast<size_t>(i)];
    const Vec3<double> centre = camera_centre(pose) * 1.0003;
    pose.translation = -(pose.rotation * centre);
    pose = pose * drift;
  }
  fix_pose_gauge(before, after, training);
  for (const int64_t i : training) {
    const auto k = static_cast<size_t>(i);
    EXPECT_LT(glm::distance(camera_centre(after[k]), camera_centre(before[k])), 1e-6) << i;  // moved by about 5e-4
    EXPECT_LT(glm::distance(after[k].rotation[0], before[k].rotation[0]), 1e-7) << i;
  }
  EXPECT_EQ(after[3].translation, before[3].translation) << "a held-out pose has no say and does not move";

  // One pose alone keeps most of what it did: a mean is taken back, not the motion.
  after = before;
  after[2] = exp(Tangent<double>{{0, 1e-3, 0}, {0, 0, 0}}) * before[2];
  fix_pose_gauge(before, after, training);
  EXPECT_GT(glm::distance(camera_centre(after[2]), camera_centre(before[2])), 6e-4);
}

TEST_F(StructureTest, FilesKeepWhatMovedAndWhereItWasGiven) {
  fit_all();
  config_.structure.lock = 0;
  SceneModel first = model();
  ImageCache photos(image_sources(scene_), 1 << 20);
  Fitter fitter(first, photos, 20);
  for (int64_t step = 0; step < 6; ++step) fitter.step(step);
  EXPECT_GT(
      glm::distance(first.images[4].camera_from_world.translation, first.images[4].given_camera_from_world.translation),
      0);
  EXPECT_NE(first.cameras[0].params.value[0], first.cameras[0].given.value[0]);
  EXPECT_FALSE(torch::equal(first.points.position, first.given_position));
  write_model(folder_ / "a.safetensors", first);
  const SceneModel second = read_model(folder_ / "a.safetensors");
  write_model(folder_ / "b.safetensors", second);
  EXPECT_TRUE(file_contents(folder_ / "a.safetensors") == file_contents(folder_ / "b.safetensors"));
  EXPECT_TRUE(torch::equal(first.points.position, second.points.position));
  EXPECT_TRUE(torch::equal(first.given_position, second.given_position));
  EXPECT_EQ(second.images[4].given_camera_from_world.translation, first.images[4].given_camera_from_world.translation);
  EXPECT_EQ(second.cameras[0].given.value[0], first.cameras[0].given.value[0]);
  EXPECT_EQ(second.median_depth_m, first.median_depth_m);
  EXPECT_TRUE(torch::equal(first.points.block_bounds, second.points.block_bounds));
}

TEST_F(StructureTest, AStepThatIsNotFiniteIsLeftOutAndNamed) {
  fit_all();
  config_.structure.lock = 0;
  config_.photometric_lock = 1;
  SceneModel model_with_fault = model();
  {
    const torch::NoGradGuard no_gradient;
    model_with_fault.tone->exposure_ev[4] = std::numeric_limits<float>::quiet_NaN();
  }
  ImageCache photos(image_sources(scene_), 1 << 20);
  Fitter fitter(model_with_fault, photos, 20);
  int left_out = 0;
  for (int64_t step = 0; step < 16; ++step) {  // two epochs of 8 training photos
    const Tensor before = model_with_fault.descriptors.detach().clone();
    const std::string problem = fitter.step(step).problem;
    EXPECT_EQ(torch::equal(before, model_with_fault.descriptors), !problem.empty());
    if (problem.empty()) continue;
    ++left_out;
    EXPECT_NE(problem.find("photo_004.png"), std::string::npos) << problem;
    EXPECT_NE(problem.find("exposure/exposure"), std::string::npos) << problem;
  }
  EXPECT_EQ(left_out, 2);
  EXPECT_TRUE(torch::isfinite(model_with_fault.points.position).all().item<bool>());
}

TEST_F(StructureTest, GrowingTakesMovedPointsAlong) {
  fit_all();
  config_.structure.lock = 0;
  config_.grow.events = 1;
  config_.grow.begin = 0.3;
  SceneModel grown = model();
  ImageCache photos(image_sources(scene_), 1 << 20);
  Fitter fitter(grown, photos, 20);
  int events = 0;
  for (int64_t step = 0; step < 12; ++step) {
    events += fitter.grow_before(step).has_value();
    fitter.step(step);
  }
  EXPECT_EQ(events, 1);
  EXPECT_EQ(grown.given_position.sizes(), grown.points.position.sizes());
  const double limit_m = grown.config.structure.max_point_shift * grown.median_depth_m;
  const Tensor shift = (grown.points.position - grown.given_position).square().sum(1).sqrt();
  EXPECT_GT(shift.max().item<double>(), 0);
  EXPECT_LT(shift.max().item<double>(), 1.001 * limit_m) << "each point is compared with where it began itself";
}

}  // namespace
}  // namespace ptl::testing
