#include "datasets/scene_loader.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "datasets/error.h"
#include "datasets/ply.h"
#include "datasets/scene_formats.h"
#include "datasets/scene_photos.h"
#include "kernels/camera.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

/// A PLY in a frame of its own, x_file = scale · (rotation · x_world + translation). Its zero is moved before the
/// numbers become single precision.
void read_cloud_of_draft(Scene& scene, const SceneDraft& draft) {
  if (!fs::exists(draft.cloud_file))
    throw InputError("{}: no such file; expected the point cloud that {} names; put it there, or give another with --points "
                     "FILE.ply", draft.cloud_file.string(), draft.file.string());
  const NerfstudioTransform& frame = draft.cloud_file_from_world;
  const Vec3<double> origin = frame.scale * (frame.rotation * scene.origin_world + frame.translation);
  read_cloud_file(scene, draft.cloud_file, draft.cloud_file.lexically_relative(scene.folder).generic_string(), origin);
  const Mat3<double> back = glm::transpose(frame.rotation);
  for (Vec3<float>& position : scene.cloud.position)
    position = Vec3<float>(back * (Vec3<double>(position) / frame.scale));
  for (Vec3<float>& normal : scene.cloud.normal) normal = Vec3<float>(back * Vec3<double>(normal));
}

void read_cloud(Scene& scene, const SceneDraft& draft, const fs::path& points_file) {
  const fs::path usual = scene.folder / "points.ply";
  if (!points_file.empty() || fs::exists(usual)) {
    const fs::path& file = points_file.empty() ? usual : points_file;
    read_cloud_file(scene, file, points_file.empty() ? "points.ply" : file.string());
    return;
  }
  if (!draft.cloud_file.empty()) return read_cloud_of_draft(scene, draft);
  for (const SparsePoint& point : scene.sparse_points) {
    scene.cloud.position.emplace_back(point.position);
    scene.cloud.color.push_back(point.color);
  }
    scene.cloud_source = draft.points_source;
  scene.cloud_photos = draft.points_photos;
  if (scene.cloud.size() == 0)
    throw InputError("{}: the model has no points, and there is no points.ply; expected at least one point; give a cloud "
                     "with --points FILE.ply. densify needs points as well, to know how far away things are: where there "
                     "are only poses, triangulate some first, with COLMAP's point_triangulator say",
                     draft.file.string());
}

void check_points_in_front(Scene& scene) {
  const auto count = static_cast<int64_t>(scene.cloud.size());
  int64_t behind = 0;
#pragma omp parallel for reduction(+ : behind) schedule(static)
  for (int64_t i = 0; i < count; ++i) {
    const Vec3<double> point(scene.cloud.position[static_cast<size_t>(i)]);
    const bool seen = std::any_of(scene.images.begin(), scene.images.end(), [&](const SceneImage& image) {
      const CameraParams<double>& camera = scene.camera_of(image).params;
      const Vec3<double> x_camera = image.camera_from_world * point;
      return camera.model == CameraModel::pinhole ? x_camera.z > 0 : project(camera, x_camera).valid;
    });
    behind += !seen;
  }
  if (behind == count)
    throw InputError("{}: all {} points of {} lie behind every camera; expected points in front of them. Are the cloud and "
                     "the poses in the same frame, and the poses camera_from_world?", scene.folder.string(), count,
                     scene.cloud_source);
  if (behind > 0)
    scene.oddities.push_back(fmt::format("{} of {} points lie behind every camera", behind, count));
}

void scale_cameras(Scene& scene, const LoadOptions& options) {
  if (!(options.image_scale > 0) || options.image_scale > 1)
    throw InputError("--image-scale: expected a number above 0 and up to 1, found {}", options.image_scale);
  if (options.max_size_px < 0 || (options.max_size_px > 0 && options.max_size_px < 16))
    throw InputError("--max-size: expected at least 16 pixels (0: no limit), found {}", options.max_size_px);
  scene.image_scale = options.image_scale;
  for (const SceneCamera& camera : scene.cameras)
    if (options.max_size_px > 0)
      scene.image_scale = std::min(scene.image_scale, static_cast<double>(options.max_size_px) /
                                                          std::max(camera.stored_width_px, camera.stored_height_px));
  for (SceneCamera& camera : scene.cameras)
    camera.params = scale_camera(camera.params, scaled_size_px(camera.stored_width_px, scene.image_scale),
                                 scaled_size_px(camera.stored_height_px, scene.image_scale));
}

void note_unused(Scene& scene, const fs::path& model_folder) {
  std::set<uint32_t> used;
  for (const SceneImage& image : scene.images) used.insert(image.camera_id);
  std::vector<std::string> unused;
  for (const SceneCamera& camera : scene.cameras)
    if (!used.count(camera.id)) unused.push_back(std::to_string(camera.id));
  if (!unused.empty()) scene.oddities.push_back(fmt::format("cameras without images: {}", listed(unused)));
  std::vector<std::string> other_models;
  if (model_folder == scene.folder / "sparse" / "0")
    for (const auto& entry : fs::directory_iterator(scene.folder / "sparse"))
      if (entry.is_directory() && entry.path().filename() != "0" &&
          (fs::exists(entry.path() / "images.bin") || fs::exists(entry.path() / "images.txt")))
        other_models.push_back(entry.path().filename().string());
  std::sort(other_models.begin(), other_models.end());
  if (!other_models.empty())
    scene.oddities.push_back(
        fmt::format("sparse has other models, which are not read: {}; their photos have no pose here", listed(other_models)));
}

}  // namespace

void read_cloud_file(Scene& scene, const fs::path& file, const std::string& source) {
  read_cloud_file(scene, file, source, scene.origin_world);
}

void read_cloud_file(Scene& scene, const fs::path& file, const std::string& source, const Vec3<double>& origin) {
  PlyContents ply = read_ply(file, origin);
  scene.cloud = std::move(ply.cloud);
  scene.cloud_source = source;
  scene.cloud_photos.clear();
  for (const std::string& comment : ply.comments)
    if (comment.rfind(cloud_photo_comment, 0) == 0)
      scene.cloud_photos.push_back(comment.substr(std::strlen(cloud_photo_comment)));
  if (!ply.has_color) scene.oddities.push_back("the cloud has no colours: all points start as mid grey");
}

int scaled_size_px(int stored_px, double scale) {
  return std::max(1, static_cast<int>(std::floor(stored_px * scale + 0.5)));
}

Scene load_scene(const fs::path& path, const LoadOptions& options) {
  const FoundScene found = choose_scene(path, options.format);
  fs::path folder = fs::is_directory(path) ? path : path.parent_path();
  if (folder.empty()) folder = ".";  // of a file in the working folder
  SceneDraft draft = found.format->read({found.file, folder, options.image_folder});
  std::vector<std::string> oddities;
  if (options.photos_needed && options.image_folder.empty() && !draft.model.images.empty())
    refuse_or_collect(options.photo_faults, [&] { draft.image_folder = choose_reduced_folder(draft, oddities); });
  Scene scene = scene_from_draft(draft);
  scene.folder = folder;
  scene.oddities.insert(scene.oddities.end(), oddities.begin(), oddities.end());
  if (scene.images.size() < 2)
    throw InputError("{}: the model has {} image{}; expected at least 2 to fit from", draft.file.string(),
                     scene.images.size(), scene.images.size() == 1 ? "" : "s");
  note_unused(scene, draft.file);
  if (options.photos_needed) {
    std::vector<std::string>* const faults = options.photo_faults;
    refuse_or_collect(faults, [&] {
      find_photos(scene, draft.image_folder, draft.photos_may_be_missing, !options.image_folder.empty(), faults);
    });
    refuse_or_collect(faults, [&] { adopt_reduced_photos(scene, draft.image_folder, draft.cameras_may_be_larger); });
    read_photo_headers(scene, faults);
    refuse_or_collect(faults, [&] {
      find_masks(scene, folder / (options.mask_folder.empty() ? fs::path("masks") : options.mask_folder),
                 !options.mask_folder.empty(), faults);
    });
  }
  scale_cameras(scene, options);
  if (!options.edits_file.empty()) {
    scene.edits = read_point_edits(options.edits_file, scene.origin_world);
    scene.edits_source = options.edits_file.string();
  }
  read_cloud(scene, draft, options.points_file);
  check_points_in_front(scene);
  return scene;
}

}  // namespace ptl
