#include "datasets/transforms_json.h"

#include <nlohmann/json.hpp>

#include "datasets/atomic_file.h"
#include "datasets/error.h"

namespace ptl {

using nlohmann::ordered_json;

void write_transforms_json(const Scene& scene, const std::filesystem::path& path) {
  using P = PinholeModel;
  ordered_json frames = ordered_json::array();
  for (const SceneImage& image : scene.images) {
    const SceneCamera& source = scene.camera_of(image);
    const CameraParams<double> camera = scale_camera(source.params, source.stored_width_px, source.stored_height_px);
    const double* const a = camera.value;
    if (camera.model != CameraModel::pinhole)
      throw InputError(
          "{}: camera {} is a lens of the model {}, which is only written as a COLMAP model; write one instead",
          path.string(), source.id, camera_table(camera.model).name);
    if (a[P::k4] != 0 || a[P::k5] != 0 || a[P::k6] != 0 || a[P::skew] != 0)
      throw InputError(
          "{}: camera {} has a rational distortion (k4, k5, k6) or skew, for which transforms.json has no words; "
          "write a COLMAP model instead",
          path.string(), source.id);
    const Mat3<double> world_from_camera = glm::transpose(image.camera_from_world.rotation);
    const Vec3<double> centre = camera_centre(image.camera_from_world) + scene.origin_world;
    ordered_json rows = ordered_json::array();
    for (int row = 0; row < 3; ++row)
      rows.push_back({world_from_camera[0][row], -world_from_camera[1][row], -world_from_camera[2][row], centre[row]});
    rows.push_back({0.0, 0.0, 0.0, 1.0});
    frames.push_back({{"file_path", "images/" + image.name},
                      {"transform_matrix", rows},
                      {"w", camera.width_px},
                      {"h", camera.height_px},
                      {"fl_x", a[P::fx]},
                      {"fl_y", a[P::fy]},
                      {"cx", a[P::cx]},
                      {"cy", a[P::cy]},
                      {"k1", a[P::k1]},
                      {"k2", a[P::k2]},
                      {"k3", a[P::k3]},
                      {"p1", a[P::p1]},
                      {"p2", a[P::p2]}});
  }
  const ordered_json document = {{"camera_model", "OPENCV"}, {"frames", frames}};
  write_file_atomically(path, document.dump(2) + "\n");
}

}  // namespace ptl
