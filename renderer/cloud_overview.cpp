#include "renderer/cloud_overview.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "datasets/quantile.h"
#include "datasets/scene_info.h"
#include "datasets/scene_loader.h"
#include "datasets/view_camera.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

constexpr size_t most_looked_at = 100000;  // points

struct Shape {
  Vec3<double> centre{0};
  double radius = 0;      ///< of a ball around the centre with nine tenths of the points
  Vec3<double> axes[3];   ///< flattest first
  Vec3<double> normal{0}; ///< mean of the normals
};

Shape shape_of(const PointCloud& cloud) {
  const size_t stride = std::max<size_t>(1, cloud.size() / most_looked_at);
  std::vector<size_t> looked_at;
  for (size_t i = 0; i < cloud.size(); i += stride) looked_at.push_back(i);
  Shape shape;
  for (int axis = 0; axis < 3; ++axis) {
    std::vector<double> values;
    for (const size_t i : looked_at) values.push_back(static_cast<double>(cloud.position[i][axis]));
    shape.centre[axis] = quantile(std::move(values), 0.5);
  }
  std::vector<double> distances;
  for (const size_t i : looked_at) distances.push_back(glm::distance(Vec3<double>(cloud.position[i]), shape.centre));
  shape.radius = std::max(1e-6, quantile(distances, 0.9));
  torch::Tensor spread = torch::zeros({3, 3}, torch::kDouble);
  double* sums = spread.mutable_data_ptr<double>();
  for (size_t k = 0; k < looked_at.size(); ++k) {
    if (distances[k] > shape.radius) continue;
    const Vec3<double> offset = (Vec3<double>(cloud.position[looked_at[k]]) - shape.centre) / shape.radius;
    for (int row = 0; row < 3; ++row)
      for (int column = 0; column < 3; ++column) sums[3 * row + column] += offset[row] * offset[column];
    if (!cloud.normal.empty()) shape.normal += Vec3<double>(cloud.normal[looked_at[k]]);
  }
  if (!cloud.normal.empty()) shape.normal /= static_cast<double>(looked_at.size());
  const torch::Tensor vectors = std::get<1>(torch::linalg_eigh(spread)).contiguous();  // columns, least first
  for (int axis = 0; axis < 3; ++axis)
    for (int row = 0; row < 3; ++row) shape.axes[axis][row] = vectors.const_data_ptr<double>()[3 * row + axis];
  return shape;
}

}  // namespace

Pose<double> overview_pose(const PointCloud& cloud, double vertical_fov_deg, double aspect) {
  constexpr double enough_normals = 0.1, elevation_rad = 25 * std::numbers::pi / 180;
  const Shape shape = shape_of(cloud);
  Vec3<double> up = shape.axes[0];
  double side = glm::dot(up, shape.normal);
  if (std::abs(side) < enough_normals) side = std::abs(up.z) >= std::abs(up.y) ? up.z : -up.y;
  if (side < 0) up = -up;
  Vec3<double> towards = shape.normal - glm::dot(shape.normal, up) * up;  // from the centre to the camera
  towards = glm::length(towards) < enough_normals ? shape.axes[1] : glm::normalize(towards);

  const double height = std::tan(vertical_fov_deg * std::numbers::pi / 360), half = std::min(height, height * aspect);
  const double distance = shape.radius / (half / std::sqrt(1 + half * half));
  const Vec3<double> eye =
      shape.centre + distance * (std::cos(elevation_rad) * towards + std::sin(elevation_rad) * up);
  const Vec3<double> forward = glm::normalize(shape.centre - eye);
  const Vec3<double> right = glm::normalize(glm::cross(forward, up)), down = glm::cross(forward, right);
  Pose<double> pose;
  for (int k = 0; k < 3; ++k) pose.rotation[k] = Vec3<double>(right[k], down[k], forward[k]);
  pose.translation = -(pose.rotation * eye);
  return pose;
}

Scene scene_of_cloud(const fs::path& file) {
  constexpr int width_px = 1280, height_px = 720;
  constexpr double vertical_fov_deg = 50, far_away = 100;
  Scene scene;
  scene.folder = file;
  read_cloud_file(scene, file, file.filename().string());
  const ExtentBox box = extent_box(scene.cloud.position);
  const Vec3<double> centre = 0.5 * (Vec3<double>(box.low) + Vec3<double>(box.high));
  if (glm::length(centre) > far_away * scene_extent(scene.cloud.position)) {  // floats are too coarse out there
    scene.origin_world = glm::round(centre);
    read_cloud_file(scene, file, file.filename().string());
  }
  SceneCamera camera;
  camera.id = 1;
  camera.params = pinhole_of_fov(vertical_fov_deg, width_px, height_px);
  camera.colmap_params = {camera.params.value[PinholeModel::fx], camera.params.value[PinholeModel::fy],
                          camera.params.value[PinholeModel::cx], camera.params.value[PinholeModel::cy]};
  camera.stored_width_px = width_px;
  camera.stored_height_px = height_px;
  scene.cameras.push_back(std::move(camera));
  SceneImage image;
  image.id = 1;
  image.camera_id = 1;
  image.name = overview_name;
  image.camera_from_world = overview_pose(scene.cloud, vertical_fov_deg, static_cast<double>(width_px) / height_px);
  scene.images.push_back(std::move(image));
  return scene;
}

}  // namespace ptl
