#include "datasets/scene_loader.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "datasets/colmap.h"
#include "datasets/error.h"
#include "datasets/exif.h"
#include "datasets/image_io.h"
#include "datasets/ply.h"
#include "kernels/camera.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

/// "a, b, c and 4 more".
std::string listed(const std::vector<std::string>& names) {
  constexpr size_t shown = 5;
  std::string text;
  for (size_t i = 0; i < std::min(shown, names.size()); ++i) text += (i ? ", " : "") + names[i];
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

fs::path subfolder(const fs::path& scene_folder, const fs::path& wanted, const char* usual) {
  return scene_folder / (wanted.empty() ? fs::path(usual) : wanted);  // an absolute path replaces the left side
}

SceneCamera& camera_of(Scene& scene, const SceneImage& image) {
  return *std::find_if(scene.cameras.begin(), scene.cameras.end(),
                       [&](const SceneCamera& camera) { return camera.id == image.camera_id; });
}

void find_photos(Scene& scene, const fs::path& image_folder) {
  if (!fs::is_directory(image_folder))
    throw InputError("{}: no such folder; expected the photos there; name another folder with --images",
                     image_folder.string());
  std::vector<std::string> missing;
  for (const SceneImage& image : scene.images)
    if (!fs::is_regular_file(image.photo_path)) missing.push_back(image.name);
  if (!missing.empty())
    throw InputError("{}: {} of the {} photos of the model are missing: {}; put them there or name their folder with "
                     "--images", image_folder.string(), missing.size(), scene.images.size(), listed(missing));
  std::set<std::string> posed;
  for (const SceneImage& image : scene.images) posed.insert(image.name);
  std::vector<std::string> unposed;
  for (const auto& entry : fs::recursive_directory_iterator(image_folder)) {
    std::string extension = entry.path().extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::string name = entry.path().lexically_relative(image_folder).generic_string();
    const bool mask = name.find(".mask.") != std::string::npos;
    if (entry.is_regular_file() && (extension == ".jpg" || extension == ".jpeg" || extension == ".png") && !mask &&
        !posed.count(name))
      unposed.push_back(name);
  }
  std::sort(unposed.begin(), unposed.end());
  if (!unposed.empty())
    scene.oddities.push_back(fmt::format("{} photos in {} have no pose and are not used: {}", unposed.size(),
                                         image_folder.filename().string(), listed(unposed)));
}

void read_photo_headers(Scene& scene) {
  std::vector<std::string> without_exposure;
  size_t turned = 0;
  for (SceneImage& image : scene.images) {
    const SceneCamera& camera = camera_of(scene, image);
    const ImageSize size = read_image_size(image.photo_path);
    if (size.width_px != camera.stored_width_px || size.height_px != camera.stored_height_px)
      throw InputError("{}: expected {} x {} pixels (camera {} of the model), found {} x {}; use the photos that the model "
                       "was made from, or name their folder with --images", image.photo_path.string(),
                       camera.stored_width_px, camera.stored_height_px, camera.id, size.width_px, size.height_px);
    const ExifFields fields = read_exif(image.photo_path);
    image.exposure_ev = exposure_ev(fields);
    image.capture_time_s = fields.capture_time_s;
    if (!image.exposure_ev) without_exposure.push_back(image.name);
    turned += fields.orientation.value_or(1) != 1;
  }
  if (!without_exposure.empty())
    scene.oddities.push_back(
        without_exposure.size() == scene.images.size()
            ? "no photo has EXIF exposure: all start with the same"
            : fmt::format("{} of {} photos have no EXIF exposure and start with the mean of the others: {}",
                          without_exposure.size(), scene.images.size(), listed(without_exposure)));
  if (turned > 0)
    scene.oddities.push_back(
        fmt::format("{} photos have an EXIF orientation; they are used as stored, as COLMAP does", turned));
}

/// The mask of a photo, under the names in use: COLMAP's NAME.png, STEM.png, and beside the photo *.mask.png.
fs::path find_mask(const SceneImage& image, const fs::path& mask_folder) {
  const fs::path name(image.name);
  const fs::path stem = name.parent_path() / name.stem();
  for (const fs::path& candidate :
       {mask_folder / (image.name + ".png"), mask_folder / (stem.string() + ".png"), mask_folder / (stem.string() + ".jpg"),
        fs::path(image.photo_path.string() + ".mask.png"),
        image.photo_path.parent_path() / (name.stem().string() + ".mask.png")})
    if (fs::is_regular_file(candidate)) return candidate;
  return {};
}

void find_masks(Scene& scene, const fs::path& mask_folder, bool demanded) {
  if (demanded && !fs::is_directory(mask_folder))
    throw InputError("{}: no such folder; expected the masks there (--masks)", mask_folder.string());
  size_t found = 0;
  for (SceneImage& image : scene.images) {
    image.mask_path = find_mask(image, mask_folder);
    if (image.mask_path.empty()) continue;
    ++found;
    const SceneCamera& camera = camera_of(scene, image);
    const ImageSize size = read_image_size(image.mask_path);
    if (size.width_px != camera.stored_width_px || size.height_px != camera.stored_height_px)
      throw InputError("{}: expected a mask of {} x {} pixels, as the photo {}, found {} x {}", image.mask_path.string(),
                       camera.stored_width_px, camera.stored_height_px, image.name, size.width_px, size.height_px);
  }
  if (demanded && found == 0)
    throw InputError("{}: has no mask for any photo; expected names like {}.png", mask_folder.string(),
                     scene.images.front().name);
  if (found > 0 && found < scene.images.size())
    scene.oddities.push_back(fmt::format("{} of {} photos have no mask: all of their pixels count",
                                         scene.images.size() - found, scene.images.size()));
}

void read_cloud(Scene& scene, const fs::path& model_folder, const fs::path& points_file) {
  const fs::path usual = scene.folder / "points.ply";
  if (!points_file.empty() || fs::exists(usual)) {
    const fs::path& file = points_file.empty() ? usual : points_file;
    read_cloud_file(scene, file, points_file.empty() ? "points.ply" : file.string());
    return;
  }
  for (const SparsePoint& point : scene.sparse_points) {
    scene.cloud.position.emplace_back(point.position);
    scene.cloud.color.push_back(point.color);
  }
  scene.cloud_source =
      fmt::format("the sparse points of {}", model_folder.lexically_relative(scene.folder).generic_string());
  if (scene.cloud.size() == 0)
    throw InputError("{}: the model has no points, and there is no points.ply; expected at least one point; give a cloud "
                     "with --points FILE.ply", model_folder.string());
}

void check_points_in_front(Scene& scene) {
  const auto count = static_cast<int64_t>(scene.cloud.size());
  int64_t behind = 0;
#pragma omp parallel for reduction(+ : behind) schedule(static)
  for (int64_t i = 0; i < count; ++i) {
    const Vec3<double> point(scene.cloud.position[static_cast<size_t>(i)]);
    const bool seen = std::any_of(scene.images.begin(), scene.images.end(), [&](const SceneImage& image) {
      return (image.camera_from_world * point).z > 0;
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
  PlyContents ply = read_ply(file, scene.origin_world);
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

Scene load_scene(const fs::path& folder, const LoadOptions& options) {
  const fs::path model_folder = find_colmap_model(folder);
  Scene scene = scene_from_colmap(read_colmap_model(model_folder), model_folder);
  scene.folder = folder;
  if (scene.images.size() < 2)
    throw InputError("{}: the model has {} image{}; expected at least 2 to fit from", model_folder.string(),
                     scene.images.size(), scene.images.size() == 1 ? "" : "s");
  const fs::path image_folder = subfolder(folder, options.image_folder, "images");
  for (SceneImage& image : scene.images) image.photo_path = image_folder / image.name;
  note_unused(scene, model_folder);
  if (options.photos_needed) {
    find_photos(scene, image_folder);
    read_photo_headers(scene);
    find_masks(scene, subfolder(folder, options.mask_folder, "masks"), !options.mask_folder.empty());
  }
  scale_cameras(scene, options);
  if (!options.edits_file.empty()) {
    scene.edits = read_point_edits(options.edits_file, scene.origin_world);
    scene.edits_source = options.edits_file.string();
  }
  read_cloud(scene, model_folder, options.points_file);
  check_points_in_front(scene);
  return scene;
}

}  // namespace ptl
