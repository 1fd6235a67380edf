// Writing a scene as a folder for ADOP.
#include <algorithm>
#include <cmath>

#include "datasets/adop_scene.h"
#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "datasets/ply.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

/// fmt prints a double with as many digits as it takes to read the same number back.
std::string camera_ini(const SceneCamera& source) {
  using P = PinholeModel;
  if (source.params.model != CameraModel::pinhole)
    throw InputError("camera {}: a lens of the model {} is not written for ADOP; write a COLMAP model instead", source.id,
                     camera_table(source.params.model).name);
  const CameraParams<double> camera = scale_camera(source.params, source.stored_width_px, source.stored_height_px);
  const double* const a = camera.value;
  return fmt::format(
      "[SceneCameraParams]\nw = {}\nh = {}\n# fx fy cx cy s\nK = {} {} {} {} {}\n# k1 k2 k3 k4 k5 k6 p1 p2\n"
      "distortion = {} {} {} {} {} {} {} {}\n",
      camera.width_px, camera.height_px, a[P::fx], a[P::fy], a[P::cx], a[P::cy], a[P::skew], a[P::k1], a[P::k2],
      a[P::k3], a[P::k4], a[P::k5], a[P::k6], a[P::p1], a[P::p2]);
}

/// The folder that a photo's name is relative to.
fs::path folder_of(const SceneImage& image) {
  fs::path folder = fs::absolute(image.photo_path).lexically_normal();
  const fs::path name(image.name);
  for (auto part = name.begin(); part != name.end(); ++part) folder = folder.parent_path();
  return folder;
}

template <class Function>
void write_lines(const fs::path& file, const Scene& scene, const Function& line_of) {
  std::string text;
  for (const SceneImage& image : scene.images) text += line_of(image) + "\n";
  write_file_atomically(file, text);
}

}  // namespace

void write_adop_scene(const Scene& scene, const fs::path& folder) {
  if (scene.images.empty()) throw InputError("{}: the scene has no images to write", folder.string());
  const fs::path image_folder = folder_of(scene.images.front());
  for (const SceneImage& image : scene.images)
    if (folder_of(image) != image_folder || image.name.find('\n') != std::string::npos)
      throw InputError("{}: the photo {} is not in {}; ADOP needs all photos in one folder", folder.string(),
                       image.photo_path.string(), image_folder.string());

  std::string camera_files;
  for (size_t i = 0; i < scene.cameras.size(); ++i) {
    const std::string name = fmt::format("camera{}.ini", i);
    camera_files += (i ? " " : "") + name;
    write_file_atomically(folder / name, camera_ini(scene.cameras[i]));
  }
  double ev_sum = 0;
  int ev_count = 0;
  for (const SceneImage& image : scene.images)
    if (image.exposure_ev) {
      ev_sum += *image.exposure_ev;
      ++ev_count;
    }
  const double ev_mean = ev_count > 0 ? ev_sum / ev_count : 0;

  write_lines(folder / "images.txt", scene, [](const SceneImage& image) { return image.name; });
  write_lines(folder / "camera_indices.txt", scene,
              [&](const SceneImage& image) { return std::to_string(&scene.camera_of(image) - scene.cameras.data()); });
  write_lines(folder / "poses.txt", scene, [&](const SceneImage& image) {
    const auto q = quaternion_from_rotation(glm::transpose(image.camera_from_world.rotation));
    const Vec3<double> centre = camera_centre(image.camera_from_world) + scene.origin_world;
    return fmt::format("{} {} {} {} {} {} {}", q[1], q[2], q[3], q[0], centre.x, centre.y, centre.z);
  });
  if (ev_count > 0)
    write_lines(folder / "exposure.txt", scene,
                [&](const SceneImage& image) { return fmt::format("{}", image.exposure_ev.value_or(ev_mean)); });

  std::vector<fs::path> masks;
  const auto has_file = [](const SceneImage& image) { return !image.mask_path.empty() && image.mask_path != image.photo_path; };
  for (const SceneImage& image : scene.images)
    if (has_file(image)) masks.push_back(fs::absolute(image.mask_path).lexically_normal());
  const fs::path mask_folder = name_photos(masks).folder;
  if (!masks.empty())
    write_lines(folder / "masks.txt", scene, [&](const SceneImage& image) {
      if (!has_file(image)) return std::string();
      return fs::absolute(image.mask_path).lexically_normal().lexically_relative(mask_folder).generic_string();
    });
  write_ply(folder / "point_cloud.ply", scene.cloud, scene.origin_world);
  write_file_atomically(
      folder / "dataset.ini",
      fmt::format("[SceneDatasetParams]\nfile_model =\nimage_dir = {}/\nmask_dir = {}\ncamera_files = {}\n"
                  "file_point_cloud = point_cloud.ply\nfile_point_cloud_compressed = point_cloud.bin\n"
                  "camera_type_int = 0\nznear = 0.1\nzfar = 1000\nrender_scale = 1\nscene_exposure_value = {}\n"
                  "up_vector = 0 -1 0\n",
                  image_folder.string(), masks.empty() ? "" : mask_folder.string() + "/", camera_files, ev_mean));
}

}  // namespace ptl
