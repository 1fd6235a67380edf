// Structure as an optimiser moves it: points in place, poses and cameras by steps from where they are (method section
// 8). Poses stay on the manifold and in double precision: pose ← exp(ξ) · pose, then ξ ← 0.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "renderer/scene_model.h"
#include "renderer/structure_gradient.h"

namespace ptl {

/// What moved and what was held back, since the fit began or was resumed.
struct StructureReport {
  std::vector<int64_t> held_images;  ///< whose pose or motion reached its limit, each once
  void hold(int64_t image);
  int64_t held_points = 0;           ///< steps of points that were not taken
};

/// The tensors that the optimiser's groups hold, and what their steps do to the model. A group that is frozen has none.
class StructureSteps {
 public:
  explicit StructureSteps(SceneModel& model);

  /// Of the groups "points", "poses", "rolling_shutter", "motion_blur", "intrinsics" and "distortion"; undefined where the group is frozen.
  torch::Tensor position;    ///< [N, 3] float: shares the memory of the model's points
  torch::Tensor pose;        ///< [images, 6] double: tangent = SceneModel::pose_from_steps · this
  torch::Tensor readout;     ///< [images, 6] double: change of readout_motion = SceneModel::pose_from_steps · this
  torch::Tensor exposure;    ///< [images, 6] double: the same of exposure_motion
  torch::Tensor intrinsics;  ///< [cameras, 16] double: in longer sides of the photo, by the table's factors;
                             ///< zero where the camera's model lacks the parameter
  torch::Tensor distortion;  ///< [cameras, 16] double: by the table's factors; zero likewise

  bool any() const {
    return position.defined() || pose.defined() || readout.defined() || exposure.defined() || intrinsics.defined() ||
           distortion.defined();
  }

  /// For the rendering of one image.
  StructureInputs inputs(const SceneModel& model, int64_t image) const;

  /// After the optimiser's step, while the gradients are still there: the model's poses and cameras take the steps,
  /// which become zero; bounds of blocks whose points moved follow. A pose, motion or point that would go beyond its limit
  /// (StructureSettings) stays where it is. Where points and poses both move, the mean rigid motion of the training
  /// poses and their mean scaling are taken back: the gauge.
  void apply(SceneModel& model, StructureReport& report);

  /// After points were added or dropped: the new tensor.
  void points_changed(SceneModel& model);

 private:
  void apply_poses(SceneModel& model, StructureReport& report);
  void apply_motions(SceneModel& model, StructureReport& report);
  void apply_cameras(SceneModel& model);
  void apply_points(SceneModel& model, StructureReport& report);

  torch::Tensor camera_from_steps_[2];  ///< [cameras, 16, 16]: change of parameters = this · step, by group
};

/// exp(ξ) · pose, ξ = (translation, rotation).
Pose<double> moved_pose(const Pose<double>& camera_from_world, const double* xi);

/// Median over training images and points in them of the camera's depth: the unit of translations and points. In scene
/// units; 1 where no point is seen.
double median_depth_m(const SceneModel& model);

/// Takes the mean rigid motion of the poses from `before` to `after` out of `after`, and the mean scaling about their
/// mean centre; `poses` are indices into both.
void fix_pose_gauge(const std::vector<Pose<double>>& before, std::vector<Pose<double>>& after,
                    const std::vector<int64_t>& poses);

}  // namespace ptl
