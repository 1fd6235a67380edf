// The directions in which poses step, against what they are defined by.
#include "renderer/pose_steps.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "datasets/prepare.h"
#include "datasets/scene_loader.h"
#include "datasets/split.h"
#include "renderer/model_file.h"
#include "renderer/structure_steps.h"
#include "tests/support/fit_scene.h"
#include "tests/support/temporary_folder.h"

namespace ptl::testing {
namespace {

using torch::Tensor;

class PoseStepsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_fit_scene(folder_ / "scene", {.images = 10, .width_px = 128, .height_px = 96, .points = 5000});
    scene_ = load_scene(folder_ / "scene");
    config_ = preset_config("quick");
    config_.raster.layers = 3;
    config_.environment.enabled = false;
    config_.groups.poses.frozen = false;
  }
  SceneModel model() {
    return make_scene_model(scene_, make_split(scene_, "every8"), prepare_points(scene_, {}), config_, 3);
  }
  TemporaryFolder folder_;
  Scene scene_;
  FitConfig config_;
};

/// Mean over the points that an image sees of the outer product of their moves in focal lengths, by central differences of
/// the projection along the columns of `directions` [6, 6] (tangents).
Tensor metric(const SceneModel& model, int64_t image, const Tensor& directions) {
  constexpr double small = 1e-6;
  const ModelCamera& camera = model.camera_of(image);
  const Pose<double>& pose = model.images[static_cast<size_t>(image)].camera_from_world;
  const auto sees = [&](const Projection<double>& at) {
    return at.valid && at.x_px >= 0 && at.y_px >= 0 && at.x_px < camera.params.width_px && at.y_px < camera.params.height_px;
  };
  Tensor sum = torch::zeros({6, 6}, torch::kDouble);
  int64_t count = 0;
  for (const Vec3<float>& position : model_cloud(model).position) {
    const Vec3<double> point(position);
    if (!sees(project(camera.params, pose * point))) continue;
    Tensor moves = torch::zeros({2, 6}, torch::kDouble);
    for (int64_t k = 0; k < 6; ++k) {
      const Tensor step = (directions.select(1, k) * small).contiguous(), back = (-step).contiguous();
      const auto ahead = project(camera.params, moved_pose(pose, step.const_data_ptr<double>()) * point);
      const auto behind = project(camera.params, moved_pose(pose, back.const_data_ptr<double>()) * point);
      moves[0][k] = (ahead.x_px - behind.x_px) / (2 * small);
      moves[1][k] = (ahead.y_px - behind.y_px) / (2 * small);
    }
    moves /= focal_length_px(camera.params);
    sum += moves.t().matmul(moves);
    ++count;
  }
  EXPECT_GT(count, 100);
  return sum / static_cast<double>(count);
}

TEST_F(PoseStepsTest, EachDirectionMovesThePictureEquallyFar) {
  const SceneModel m = model();
  const Tensor units = torch::diag(pose_units(m.median_depth_m));
  const Tensor steps = pose_from_steps(m);
  ASSERT_EQ(steps.sizes(), (std::vector<int64_t>{10, 6, 6}));
  for (const int64_t image : {int64_t{0}, int64_t{7}}) {
    const Tensor plain = metric(m, image, units);
    // P = units · S, and S (H + 0.1 diag H) S = 1.
    const Tensor s = units.inverse().matmul(steps[image]);
    const Tensor white = s.matmul(plain + 0.1 * torch::diag(plain.diag())).matmul(s);
    EXPECT_LT((white - torch::eye(6, torch::kDouble)).abs().max().item<double>(), 1e-4) << white;
    EXPECT_TRUE(torch::allclose(s, s.t(), 0, 1e-9));
    // Seen against a wall, moving sideways and turning are nearly the same: some direction moves the picture much less than
    // another. Damping leaves a tenth of that.
    const auto unevenness = [](const Tensor& h) {
      const Tensor values = std::get<0>(torch::linalg_eigh(h));
      return (values[5] / values[0]).item<double>();
    };
    EXPECT_GT(unevenness(plain), 100);
    EXPECT_LT(unevenness(metric(m, image, steps[image])), unevenness(plain) / 8);
  }
}

TEST_F(PoseStepsTest, PlainWhereToldOrWhereNothingIsSeen) {
  SceneModel m = model();
  const Tensor plain = torch::diag(pose_units(m.median_depth_m));
  m.images[3].given_camera_from_world.translation.z -= 1000;  // all points are behind it
  EXPECT_TRUE(torch::equal(pose_from_steps(m)[3], plain));
  EXPECT_FALSE(torch::equal(pose_from_steps(m)[4], plain));
  m.config.structure.even_pose_steps = false;
  EXPECT_TRUE(torch::equal(pose_from_steps(m)[4], plain));
}

// A resumed fit steps as the first one did, wherever its points have gone since.
TEST_F(PoseStepsTest, TheModelFileKeepsThem) {
  SceneModel first = model();
  const StructureSteps structure(first);
  const Tensor steps = first.pose_from_steps;
  ASSERT_TRUE(steps.defined());
  first.points.position.mul_(1.5);
  write_model(folder_ / "a.safetensors", first);
  SceneModel second = read_model(folder_ / "a.safetensors");
  const StructureSteps again(second);
  EXPECT_TRUE(torch::equal(second.pose_from_steps, steps));
  config_.groups.poses.frozen = true;
  SceneModel still = model();
  const StructureSteps none(still);
  EXPECT_FALSE(still.pose_from_steps.defined());
}

TEST_F(PoseStepsTest, AStepGoesItsDirectionsWay) {
  SceneModel m = model();
  StructureSteps structure(m);
  {
    const torch::NoGradGuard no_gradient;
    structure.pose[4][2] = 1e-3;
  }
  const Tensor tangent = (m.pose_from_steps[4].select(1, 2) * 1e-3).contiguous();
  EXPECT_TRUE(torch::allclose(structure.inputs(m, 4).pose_tangent, tangent, 0, 1e-15));
  const Pose<double> expected = moved_pose(m.images[4].camera_from_world, tangent.const_data_ptr<double>());
  StructureReport report;
  structure.apply(m, report);
  EXPECT_NEAR(glm::distance(m.images[4].camera_from_world.translation, expected.translation), 0, 1e-14);
  EXPECT_NEAR(m.images[4].camera_from_world.rotation[0].y, expected.rotation[0].y, 1e-15);
}

}  // namespace
}  // namespace ptl::testing
