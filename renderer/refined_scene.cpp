#include "renderer/refined_scene.h"

#include <algorithm>
#include <unordered_map>

#include "datasets/colmap_cameras.h"
#include "datasets/error.h"

namespace ptl {

namespace {

void refine_camera(const ModelCamera& fitted, SceneCamera& camera) {
  if (std::equal(fitted.params.value, fitted.params.value + camera_param_capacity, fitted.given.value)) return;
  const CameraParams<double> stored = scale_camera(fitted.params, camera.stored_width_px, camera.stored_height_px);
  const ColmapParams colmap = camera_to_colmap(stored, camera.colmap_model_id);
  camera.params = fitted.params;
  camera.colmap_model_id = colmap.id;
  camera.colmap_params = colmap.params;
}

/// A point of the model is sparse point i where it has its id, and began at its place.
void refine_points(const SceneModel& model, Scene& scene) {
  if (!model.given_position.defined()) return;
  const torch::Tensor ids = model.points.id.to(torch::kCPU), given = model.given_position.to(torch::kCPU).contiguous(),
                      fitted = model.points.position.to(torch::kCPU).contiguous();
  for (int64_t row = 0; row < ids.size(0); ++row) {
    const int64_t id = ids.const_data_ptr<int64_t>()[row];
    if (id < 0 || id >= static_cast<int64_t>(scene.sparse_points.size())) continue;
    Vec3<double>& position = scene.sparse_points[static_cast<size_t>(id)].position;
    const float* const from = given.const_data_ptr<float>() + 3 * row;
    if (Vec3<float>(position) != Vec3<float>(from[0], from[1], from[2])) continue;
    const float* const to = fitted.const_data_ptr<float>() + 3 * row;
    // The step that the fit made: what a float could not hold of the position stays.
    position += Vec3<double>(to[0], to[1], to[2]) - Vec3<double>(from[0], from[1], from[2]);
  }
}

void recompute_errors(Scene& scene) {
  std::unordered_map<uint32_t, const SceneImage*> image_of;
  for (const SceneImage& image : scene.images) image_of[image.id] = &image;
  std::unordered_map<uint32_t, CameraParams<double>> stored;  // by id
  for (const SceneCamera& camera : scene.cameras)
    stored[camera.id] = scale_camera(camera.params, camera.stored_width_px, camera.stored_height_px);
  for (SparsePoint& point : scene.sparse_points) {
    double sum = 0;
    int count = 0;
    for (const auto& [image_id, observation_index] : point.track) {
      const auto found = image_of.find(image_id);
      if (found == image_of.end() || observation_index >= found->second->observations.size()) continue;
      const Projection<double> at =
          project(stored.at(found->second->camera_id), found->second->camera_from_world * point.position);
      const Observation& seen = found->second->observations[observation_index];
      if (!at.valid) continue;
      sum += std::hypot(at.x_px - seen.x_px, at.y_px - seen.y_px);
      ++count;
    }
    if (count > 0) point.reprojection_error_px = sum / count;
  }
}

}  // namespace

Scene refined_scene(const SceneModel& model, Scene scene) {
  const auto refuse = [&](const std::string& what) {
    throw InputError("{}: this is not the scene that the run '{}' was made with: {}; name the right one with --scene",
                     scene.folder.string(), model.scene_name, what);
  };
  if (scene.images.size() != model.images.size())
    refuse(fmt::format("it has {} images, expected {}", scene.images.size(), model.images.size()));
  if (scene.cameras.size() != model.cameras.size())
    refuse(fmt::format("it has {} cameras, expected {}", scene.cameras.size(), model.cameras.size()));
  if (scene.origin_world != model.origin_world) refuse("its origin differs");
  for (size_t c = 0; c < scene.cameras.size(); ++c) {
    if (scene.cameras[c].id != model.cameras[c].id)
      refuse(fmt::format("camera {} has the id {}, expected {}", c, scene.cameras[c].id, model.cameras[c].id));
    refine_camera(model.cameras[c], scene.cameras[c]);
  }
  bool moved = false;
  for (size_t i = 0; i < scene.images.size(); ++i) {
    const ModelImage& image = model.images[i];
    if (scene.images[i].name != image.name)
      refuse(fmt::format("image {} is '{}', expected '{}'", i, scene.images[i].name, image.name));
    const bool same = image.camera_from_world == image.given_camera_from_world;
    if (!same) scene.images[i].camera_from_world = image.camera_from_world;
    moved |= !same;
  }
  for (const ModelCamera& camera : model.cameras)
    moved |= !std::equal(camera.params.value, camera.params.value + camera_param_capacity, camera.given.value);
  refine_points(model, scene);
  if (moved || model.given_position.defined()) recompute_errors(scene);
  return scene;
}

}  // namespace ptl
