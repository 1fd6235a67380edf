#include "datasets/scene_draft.h"

#include <algorithm>
#include <cmath>

#include "datasets/colmap_cameras.h"
#include "datasets/error.h"

namespace ptl {
namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

fs::path choose_image_folder(const SceneFiles& files, const std::vector<fs::path>& usual,
                             const std::vector<std::string>& names) {
  if (!files.wanted_images.empty()) return files.scene_folder / files.wanted_images;
  for (const fs::path& folder : usual)
    for (const std::string& name : names)
      if (is_file(folder / with_extension(folder, name))) return folder;
  return usual.front();
}

std::string with_extension(const fs::path& image_folder, const std::string& name) {
  if (is_file(image_folder / name)) return name;
  for (const char* extension : {".png", ".jpg", ".jpeg", ".JPG", ".JPEG", ".PNG", ".tif", ".tiff", ".TIF", ".TIFF"})
    if (is_file(image_folder / (name + extension))) return name + extension;
  return name;
}

NamedPhotos name_photos(const std::vector<fs::path>& photos) {
  NamedPhotos named;
  std::vector<fs::path> normal;
  for (const fs::path& photo : photos) normal.push_back(photo.lexically_normal());
  if (normal.empty()) return named;
  named.folder = normal.front().parent_path();
  for (const fs::path& photo : normal) {
    const fs::path other = photo.parent_path();
    const auto differ = std::mismatch(named.folder.begin(), named.folder.end(), other.begin(), other.end()).first;
    fs::path common;
    for (auto part = named.folder.begin(); part != differ; ++part) common /= *part;
    named.folder = common;
  }
  if (named.folder.empty()) named.folder = ".";
  for (const fs::path& photo : normal) named.names.push_back(photo.lexically_relative(named.folder).generic_string());
  return named;
}

uint32_t camera_id_for(SceneDraft& draft, const CameraParams<double>& camera, const std::string& whose, int preferred) {
  using P = PinholeModel;
  const std::string where = draft.file.string() + ": " + whose;
  constexpr int largest = 1 << 20;
  if (camera.width_px < 1 || camera.height_px < 1 || camera.width_px > largest || camera.height_px > largest)
    throw InputError("{}: expected a photo of 1 to {} pixels on each side, found {} x {}", where, largest,
                     camera.width_px, camera.height_px);
  for (const double value : camera.value)
    if (!std::isfinite(value))
      throw InputError("{}: expected finite camera parameters, found {}; calibrate the camera again", where, value);
  const bool on_plane = camera.model != CameraModel::equirectangular && camera.model != CameraModel::ocam;
  if (on_plane && !(camera.value[P::fx] > 0 && camera.value[P::fy] > 0))
    throw InputError("{}: expected a focal length above 0, found {} x {} px", where, camera.value[P::fx],
                     camera.value[P::fy]);
  if (on_plane && camera.value[P::skew] != 0)
    throw InputError("{}: expected a camera without skew (pixels with right angles), found {} px; calibrate it without",
                     where, camera.value[P::skew]);
  const ColmapParams params = camera_to_colmap(camera, preferred);
  for (const ColmapCamera& known : draft.model.cameras)
    if (known.model_id == params.id && known.params == params.params &&
        known.width_px == static_cast<uint64_t>(camera.width_px) &&
        known.height_px == static_cast<uint64_t>(camera.height_px))
      return known.id;
  const auto id = static_cast<uint32_t>(draft.model.cameras.size() + 1);
  draft.model.cameras.push_back(
      {id, params.id, static_cast<uint64_t>(camera.width_px), static_cast<uint64_t>(camera.height_px), params.params});
  return id;
}

ColmapImage& add_image(SceneDraft& draft, const std::string& name, const Pose<double>& camera_from_world,
                       uint32_t camera_id) {
  ColmapImage& image = draft.model.images.emplace_back();
  image.id = static_cast<uint32_t>(draft.model.images.size());
  image.name = name;
  image.camera_id = camera_id;
  image.rotation_wxyz = quaternion_from_rotation(camera_from_world.rotation);
  image.translation = {camera_from_world.translation.x, camera_from_world.translation.y,
                       camera_from_world.translation.z};
  return image;
}

Pose<double> pose_from_centre(const Mat3<double>& world_from_camera, const Vec3<double>& centre) {
  Pose<double> pose;
  pose.rotation = glm::transpose(world_from_camera);
  pose.translation = -(pose.rotation * centre);
  return pose;
}

Scene scene_from_draft(const SceneDraft& draft) {
  if (draft.model.images.empty())
    throw InputError("{}: has no image with a pose; expected at least 2 to fit from", draft.file.string());
  if (!draft.model_is_checked) check_colmap_model(draft.model, draft.file, draft.file, draft.file);
  Scene scene = scene_from_colmap(draft.model, draft.file);
  scene.held_out_by_dataset = draft.held_out;
  for (SceneImage& image : scene.images) {
    image.photo_path = draft.image_folder / image.name;
    if (const auto mask = draft.masks.find(image.name); mask != draft.masks.end()) image.mask_path = mask->second;
    if (const auto ev = draft.exposure_ev.find(image.name); ev != draft.exposure_ev.end())
      image.exposure_ev = ev->second;
  }
  scene.oddities.insert(scene.oddities.begin(), draft.oddities.begin(), draft.oddities.end());
  return scene;
}

}  // namespace ptl
