#include "renderer/structure_steps.h"

#include <algorithm>
#include <cmath>

#include "datasets/colmap_cameras.h"
#include "datasets/split.h"
#include "kernels/point_blocks.h"
#include "renderer/pose_steps.h"
#include "renderer/seen_points.h"
#include "renderer/tensor_device.h"

namespace ptl {

namespace {

torch::Tensor zeros(int64_t rows, int64_t columns) {
  return torch::zeros({rows, columns}, torch::kDouble).requires_grad_(true);
}

bool is_zero(const double* values, int64_t count) {
  return std::all_of(values, values + count, [](double value) { return value == 0; });
}

bool is_finite(const Pose<double>& pose) {
  double sum = 0;
  for (int column = 0; column < 3; ++column)
    for (int row = 0; row < 3; ++row) sum += std::abs(pose.rotation[column][row]);
  return std::isfinite(sum + std::abs(pose.translation.x) + std::abs(pose.translation.y) +
                       std::abs(pose.translation.z));
}

/// [16, 16]: what a step of 1 of each parameter of a group changes of the camera. Zero for those that its model lacks;
/// the step of its only focal length moves both.
torch::Tensor camera_from_steps(const ModelCamera& camera, CameraParamGroup group) {
  const CameraTable& table = camera_table(camera.params.model);
  const CameraFreedom freedom = camera_freedom(camera.colmap_model_id);
  const double side_px = std::max(camera.params.width_px, camera.params.height_px);
  torch::Tensor matrix = torch::zeros({camera_param_capacity, camera_param_capacity}, torch::kDouble);
  double* const change = matrix.mutable_data_ptr<double>();
  const auto at = [](int parameter, int step) { return parameter * camera_param_capacity + step; };
  for (int k = 0; k < table.param_count; ++k)
    if (table.params[k].group == group && freedom.moves[k])
      change[at(k, k)] = table.params[k].rate_factor * (table.params[k].in_pixels ? side_px : 1.0);
  constexpr int fx = PinholeModel::fx, fy = PinholeModel::fy;
  if (freedom.one_focal_length &&
      group == CameraParamGroup::intrinsics)  // their ratio is that of the photo's reduction
    change[at(fy, fx)] = change[at(fx, fx)] * camera.given.value[fy] / camera.given.value[fx];
  return matrix;
}

}  // namespace

Pose<double> moved_pose(const Pose<double>& camera_from_world, const double* xi) {
  return exp(Tangent<double>{{xi[0], xi[1], xi[2]}, {xi[3], xi[4], xi[5]}}) * camera_from_world;
}

void StructureReport::hold(int64_t image) {
  if (std::find(held_images.begin(), held_images.end(), image) == held_images.end()) held_images.push_back(image);
}

StructureSteps::StructureSteps(SceneModel& model) {
  const GroupSettings& groups = model.config.groups;
  const auto images = static_cast<int64_t>(model.images.size()), cameras = static_cast<int64_t>(model.cameras.size());
  if (!groups.points.frozen) points_changed(model);
  for (const auto& [group, steps] :
       {std::pair{&groups.poses, &pose}, std::pair{&groups.rolling_shutter, &readout}, std::pair{&groups.motion_blur, &exposure}}) {
    if (group->frozen) continue;
    *steps = zeros(images, 6);
    if (!model.pose_from_steps.defined()) model.pose_from_steps = pose_from_steps(model);
  }
  if (!groups.intrinsics.frozen) intrinsics = zeros(cameras, camera_param_capacity);
  if (!groups.distortion.frozen) distortion = zeros(cameras, camera_param_capacity);
  for (const CameraParamGroup group : {CameraParamGroup::intrinsics, CameraParamGroup::distortion}) {
    std::vector<torch::Tensor> matrices;
    for (const ModelCamera& camera : model.cameras) matrices.push_back(camera_from_steps(camera, group));
    camera_from_steps_[static_cast<int>(group)] = torch::stack(matrices);
  }
}

void StructureSteps::points_changed(SceneModel& model) {
  if (!model.given_position.defined()) model.given_position = model.points.position.clone();
  position = model.points.position.detach().requires_grad_(true);
}

StructureInputs StructureSteps::inputs(const SceneModel& model, int64_t image) const {
  StructureInputs result;
  result.position = position;
  for (const auto& [steps, input] : {std::pair{&pose, &result.pose_tangent}, std::pair{&readout, &result.readout_motion},
                                    std::pair{&exposure, &result.exposure_motion}})
    if (steps->defined()) *input = model.pose_from_steps[image].mv((*steps)[image]);
  const int64_t camera = model.images[static_cast<size_t>(image)].camera;
  for (const auto& [steps, group] : {std::pair{&intrinsics, 0}, std::pair{&distortion, 1}}) {
    if (!steps->defined()) continue;
    const torch::Tensor change = camera_from_steps_[group][camera].mv((*steps)[camera]);
    result.camera = result.camera.defined() ? result.camera + change : change;
  }
  return result;
}

void StructureSteps::apply(SceneModel& model, StructureReport& report) {
  const torch::NoGradGuard no_gradient;
  if (pose.defined()) apply_poses(model, report);
  apply_motions(model, report);
  if (intrinsics.defined() || distortion.defined()) apply_cameras(model);
  if (position.defined()) apply_points(model, report);
}

void StructureSteps::apply_poses(SceneModel& model, StructureReport& report) {
  const double limit = model.config.structure.max_pose_shift;
  const torch::Tensor steps = model.pose_from_steps.matmul(pose.detach().unsqueeze(2)).squeeze(2).contiguous();
  const double* const step = steps.const_data_ptr<double>();
  std::vector<Pose<double>> before, after;
  bool moved = false;
  for (size_t i = 0; i < model.images.size(); ++i) {
    const ModelImage& image = model.images[i];
    before.push_back(image.camera_from_world);
    after.push_back(image.camera_from_world);
    if (is_zero(step + 6 * i, 6)) continue;
    const Pose<double> next = moved_pose(image.camera_from_world, step + 6 * i);
    const double angle = rotation_angle(next.rotation * glm::transpose(image.given_camera_from_world.rotation));
    const double distance = glm::distance(camera_centre(next), camera_centre(image.given_camera_from_world));
    if (!is_finite(next) || angle > limit || distance > limit * model.median_depth_m) {
      report.hold(static_cast<int64_t>(i));
      continue;
    }
    after.back() = next;
    moved = true;
  }
  pose.detach().zero_();
  if (!moved) return;
  if (position.defined()) fix_pose_gauge(before, after, model.training_images());
  for (size_t i = 0; i < model.images.size(); ++i) model.images[i].camera_from_world = after[i];
}

void StructureSteps::apply_motions(SceneModel& model, StructureReport& report) {
  const double limit = model.config.structure.max_pose_shift;
  for (const auto& [steps, motion] :
       {std::pair{&readout, &ModelImage::readout_motion}, std::pair{&exposure, &ModelImage::exposure_motion}}) {
    if (!steps->defined()) continue;
    const torch::Tensor changes = model.pose_from_steps.matmul(steps->detach().unsqueeze(2)).squeeze(2).contiguous();
    const double* change = changes.const_data_ptr<double>();
    for (size_t i = 0; i < model.images.size(); ++i, change += 6) {
      Tangent<double>& now = model.images[i].*motion;
      const Tangent<double> next{now.translation + Vec3<double>(change[0], change[1], change[2]),
                                 now.rotation + Vec3<double>(change[3], change[4], change[5])};
      if (glm::length(next.rotation) <= limit && glm::length(next.translation) <= limit * model.median_depth_m)  // not NaN
        now = next;
      else
        report.hold(static_cast<int64_t>(i));
    }
    steps->detach().zero_();
  }
}

void StructureSteps::apply_cameras(SceneModel& model) {
  for (size_t c = 0; c < model.cameras.size(); ++c) {
    CameraParams<double>& params = model.cameras[c].params;
    const CameraTable& table = camera_table(params.model);
    CameraParams<double> next = params;
    for (const auto& [steps, group] : {std::pair{&intrinsics, 0}, std::pair{&distortion, 1}}) {
      if (!steps->defined()) continue;
      const auto row = static_cast<int64_t>(c);
      const torch::Tensor change = camera_from_steps_[group][row].mv((*steps).detach()[row]);
      for (int k = 0; k < table.param_count; ++k) next.value[k] += change.const_data_ptr<double>()[k];
    }
    bool possible = true;  // beyond the table's range the camera stays as it is
    const double side_px = std::max(params.width_px, params.height_px);
    for (int k = 0; k < table.param_count; ++k) {
      const double unit = table.params[k].in_pixels ? side_px : 1.0;
      possible &= next.value[k] >= table.params[k].low * unit && next.value[k] <= table.params[k].high * unit;
    }
    if (!possible || std::equal(next.value, next.value + camera_param_capacity, params.value)) continue;
    update_valid_radius(next);
    params = next;
  }
  for (const torch::Tensor* steps : {&intrinsics, &distortion})
    if (steps->defined()) steps->detach().zero_();
}

void StructureSteps::apply_points(SceneModel& model, StructureReport& report) {
  const torch::Tensor gradient = position.grad();
  if (!gradient.defined()) return;
  torch::Tensor here = position.detach();
  const bool by_rows = gradient.is_sparse() && model.config.groups.points.kind == OptimizerKind::sparse_adam;
  const torch::Tensor rows = by_rows ? gradient._indices().select(0, 0) : torch::arange(here.size(0), here.device());
  if (rows.size(0) == 0) return;
  const double limit_m = model.config.structure.max_point_shift * model.median_depth_m;
  const torch::Tensor given = model.given_position.index_select(0, rows);
  const torch::Tensor shift = here.index_select(0, rows) - given;
  const torch::Tensor distance = shift.square().sum(1, true).sqrt();
  const torch::Tensor inside = distance <= limit_m;  // false for NaN
  const int64_t held = rows.size(0) - inside.sum().item<int64_t>();
  if (held > 0) {
    report.held_points += held;
    const torch::Tensor pulled = torch::nan_to_num(shift * (limit_m / distance), 0.0, 0.0, 0.0);
    here.index_copy_(0, rows, given + torch::where(inside, shift, pulled));
  }
  const torch::Tensor blocks = std::get<0>(at::_unique(rows.floor_divide(points_per_block), /*sorted=*/true));
  const TensorDevice device("structure_steps", here);
  update_block_bounds(device, here.const_data_ptr<float>(), here.size(0), blocks.const_data_ptr<int64_t>(),
                      blocks.size(0), model.points.block_bounds.mutable_data_ptr<float>());
}

void fix_pose_gauge(const std::vector<Pose<double>>& before, std::vector<Pose<double>>& after,
                    const std::vector<int64_t>& poses) {
  if (poses.empty()) return;
  const double share = 1.0 / static_cast<double>(poses.size());
  // Of world_from_world: x_before ≈ (1 + [ω]×) x_after + v, for each pose; small, so that the mean of the tangents will
  // do.
  Vec3<double> turn(0), centre(0);
  for (const int64_t index : poses) {
    const auto i = static_cast<size_t>(index);
    const Mat3<double> m = glm::transpose(before[i].rotation) * after[i].rotation;  // of the world
    turn += share * skew_part(m);
    centre += share * camera_centre(before[i]);
  }
  // The world turns by −turn about the mean centre: after that, centres have moved by what is left.
  const Mat3<double> back = exp(Tangent<double>{Vec3<double>(0), -turn}).rotation;
  Vec3<double> drift(0);
  double growth = 0, spread = 0;
  const auto turned = [&](size_t i) { return glm::transpose(back) * (camera_centre(after[i]) - centre); };
  for (const int64_t index : poses) drift += share * turned(static_cast<size_t>(index));
  for (const int64_t index : poses) {
    const auto i = static_cast<size_t>(index);
    const Vec3<double> from = camera_centre(before[i]) - centre;
    growth += glm::dot(turned(i) - drift - from, from);
    spread += glm::dot(from, from);
  }
  const double scale = spread > 0 ? 1 / (1 + growth / spread) : 1;
  for (const int64_t index : poses) {
    Pose<double>& pose = after[static_cast<size_t>(index)];
    const Vec3<double> new_centre = centre + scale * (turned(static_cast<size_t>(index)) - drift);
    pose.rotation = pose.rotation * back;
    pose.translation = -(pose.rotation * new_centre);
  }
}

double median_depth_m(const SceneModel& model) {
  constexpr size_t most_images = 32;
  constexpr int64_t most_points = 4096;
  const torch::Tensor positions = model.points.position.detach().to(torch::kCPU).contiguous();
  std::vector<double> depths;
  for (const int64_t index : spread_evenly(model.training_images(), most_images)) {
    const ModelImage& image = model.images[static_cast<size_t>(index)];
    for_each_seen_point(model.camera_of(index).params, image.given_camera_from_world, positions.const_data_ptr<float>(),
                        positions.size(0), most_points,
                        [&](const Vec3<double>&, const Projection<double>& at) { depths.push_back(at.depth_m); });
  }
  if (depths.empty()) return 1;
  const auto middle = depths.begin() + static_cast<std::ptrdiff_t>(depths.size() / 2);
  std::nth_element(depths.begin(), middle, depths.end());
  return *middle;
}

}  // namespace ptl
