// Between a COLMAP model (world coordinates) and a Scene (coordinates relative to its origin).
#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "datasets/colmap.h"
#include "datasets/colmap_cameras.h"
#include "datasets/error.h"
#include "datasets/quantile.h"
#include "kernels/se3.h"

namespace ptl {

namespace {

Vec3<double> translation_of(const ColmapImage& image) {
  return {image.translation[0], image.translation[1], image.translation[2]};
}

Vec3<double> camera_center(const ColmapImage& image) {
  return -(glm::transpose(rotation_from_quaternion(image.rotation_wxyz)) * translation_of(image));
}

/// Diagonal of the box between two quantiles of the positions on each axis.
double box_diagonal(const std::vector<Vec3<double>>& positions, double low, double high) {
  if (positions.empty()) return 0;
  double sum = 0;
  for (int axis = 0; axis < 3; ++axis) {
    std::vector<double> values;
    values.reserve(positions.size());
    for (const Vec3<double>& p : positions) values.push_back(p[axis]);
    const double side = quantile(values, high) - quantile(values, low);
    sum += side * side;
  }
  return std::sqrt(sum);
}

}  // namespace

Vec3<double> scene_origin(const ColmapModel& model) {
  if (model.images.empty()) return Vec3<double>(0);
  std::vector<Vec3<double>> centers, points;
  for (const ColmapImage& image : model.images) centers.push_back(camera_center(image));
  for (const SparsePoint& point : model.points) points.push_back(point.position);
  const double extent = std::max(box_diagonal(centers, 0, 1), box_diagonal(points, 0.05, 0.95));
  const double step = extent > 0 ? std::exp2(std::floor(std::log2(extent)) - 10) : 0;
  Vec3<double> origin;
  for (int axis = 0; axis < 3; ++axis) {
    std::vector<double> values;
    for (const Vec3<double>& center : centers) values.push_back(center[axis]);
    const double median = quantile(values, 0.5);
    origin[axis] = step > 0 ? std::round(median / step) * step + 0.0 : median;
  }
  return origin;
}

Scene scene_from_colmap(const ColmapModel& model, const std::filesystem::path& model_folder) {
  Scene scene;
  scene.folder = model_folder;
  scene.origin_world = scene_origin(model);
  for (const ColmapCamera& source : model.cameras) {
    SceneCamera& camera = scene.cameras.emplace_back();
    camera.id = source.id;
    camera.colmap_model_id = source.model_id;
    camera.colmap_params = source.params;
    camera.stored_width_px = static_cast<int32_t>(source.width_px);
    camera.stored_height_px = static_cast<int32_t>(source.height_px);
    camera.params = camera_from_colmap(source.model_id, source.params, camera.stored_width_px, camera.stored_height_px,
                                       model_folder);
  }
  std::sort(scene.cameras.begin(), scene.cameras.end(),
            [](const SceneCamera& a, const SceneCamera& b) { return a.id < b.id; });

  std::unordered_set<uint64_t> point_ids;
  point_ids.reserve(model.points.size());
  for (const SparsePoint& point : model.points) point_ids.insert(point.id);
  std::unordered_map<uint32_t, size_t> observations_of;
  size_t loose_observations = 0;
  for (const ColmapImage& source : model.images) {
    SceneImage& image = scene.images.emplace_back();
    image.id = source.id;
    image.camera_id = source.camera_id;
    image.name = source.name;
    image.camera_from_world.rotation = rotation_from_quaternion(source.rotation_wxyz);
    image.camera_from_world.translation =
        image.camera_from_world.rotation * scene.origin_world + translation_of(source);
    image.observations = source.observations;
    observations_of[image.id] = image.observations.size();
    for (Observation& observation : image.observations)
      if (observation.point_id != UINT64_MAX && !point_ids.count(observation.point_id)) {
        observation.point_id = UINT64_MAX;
        ++loose_observations;
      }
  }
  std::sort(scene.images.begin(), scene.images.end(),
            [](const SceneImage& a, const SceneImage& b) { return a.name < b.name; });

  size_t loose_track_elements = 0;
  scene.sparse_points.reserve(model.points.size());
  for (const SparsePoint& source : model.points) {
    SparsePoint& point = scene.sparse_points.emplace_back(source);
    point.position = source.position - scene.origin_world;
    loose_track_elements += std::erase_if(point.track, [&](const auto& element) {
      const auto found = observations_of.find(element.first);
      return found == observations_of.end() || element.second >= found->second;
    });
  }
  if (loose_observations > 0)
    scene.oddities.push_back(fmt::format(
        "{} 2D points belong to 3D points that are not in the model; read as not triangulated", loose_observations));
  if (loose_track_elements > 0)
    scene.oddities.push_back(fmt::format(
        "{} track elements belong to images or 2D points that are not in the model; left out", loose_track_elements));
  return scene;
}

ColmapModel colmap_from_scene(const Scene& scene) {
  ColmapModel model;
  for (const SceneCamera& source : scene.cameras)
    model.cameras.push_back({source.id, source.colmap_model_id, static_cast<uint64_t>(source.stored_width_px),
                             static_cast<uint64_t>(source.stored_height_px), source.colmap_params});
  for (const SceneImage& source : scene.images) {
    ColmapImage& image = model.images.emplace_back();
    image.id = source.id;
    image.camera_id = source.camera_id;
    image.name = source.name;
    image.rotation_wxyz = quaternion_from_rotation(source.camera_from_world.rotation);
    const Vec3<double> translation =
        source.camera_from_world.translation - source.camera_from_world.rotation * scene.origin_world;
    image.translation = {translation.x, translation.y, translation.z};
    image.observations = source.observations;
  }
  model.points = scene.sparse_points;
  for (SparsePoint& point : model.points) point.position += scene.origin_world;
  return model;
}

void write_colmap(const Scene& scene, const std::filesystem::path& model_folder, ColmapFormat format) {
  write_colmap_model(colmap_from_scene(scene), model_folder, format);
}

}  // namespace ptl
