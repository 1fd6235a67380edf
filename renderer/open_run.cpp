#include "renderer/open_run.h"

#include "datasets/error.h"
#include "datasets/hdr_photo.h"
#include "renderer/model_file.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

Scene scene_as_read(const fs::path& folder, const SceneConfig& config, bool photos_needed) {
  LoadOptions options;
  options.format = config.format;
  options.points_file = config.points;
  options.edits_file = config.edits;
  options.image_folder = config.images;
  options.mask_folder = config.masks;
  options.image_scale = config.image_scale;
  options.max_size_px = config.max_size_px;
  options.photos_needed = photos_needed;
  return load_scene(folder, options);
}

}  // namespace

Scene open_scene(const fs::path& folder, const SceneConfig& config, bool photos_needed) {
  Scene scene = scene_as_read(folder, config, photos_needed);
  if (photos_needed && is_hdr(scene)) choose_photo_range(scene, make_split(scene, config.split).train);
  return scene;
}

OpenedRun open_run(const fs::path& run, torch::Device device) {
  OpenedRun opened;
  if (fs::is_directory(run)) {
    opened.folder.folder = run;
    opened.model_path = opened.folder.model();
    if (!fs::exists(opened.model_path))
      throw InputError("{}: no {} in it{}", run.string(), opened.model_path.filename().string(),
                       fs::exists(opened.folder.checkpoint())
                           ? "; the fit has not ended yet: go on with 'pointillist fit SCENE --out " + run.string() + " --resume'"
                           : "; expected the folder of a run that 'pointillist fit' made");
  } else if (fs::exists(run)) {
    opened.model_path = run;
    opened.folder.folder = run.parent_path();
  } else {
    throw InputError("{}: no such run or model file", run.string());
  }
  opened.model = read_model(opened.model_path, device);
  return opened;
}

std::unique_ptr<ImageCache> open_photos(const SceneModel& model, const fs::path& scene_folder, uint64_t cache_bytes) {
  const fs::path folder = scene_folder.empty() ? fs::path(model.scene_folder) : scene_folder;
  if (!fs::is_directory(folder))
    throw InputError("{}: the scene's folder is not there any more; say where it is with --scene", folder.string());
  SceneConfig config = model.config.scene;
  config.points.clear();  // only the photos matter here
  config.edits.clear();
  Scene scene = scene_as_read(folder, config, /*photos_needed=*/true);
  if (scene.images.size() != model.images.size())
    throw InputError("{}: the scene has {} images, the run was made with {}; name the right one with --scene",
                     folder.string(), scene.images.size(), model.images.size());
  for (size_t i = 0; i < scene.images.size(); ++i) {
    const CameraParams<double>& now = scene.camera_of(scene.images[i]).params;
    const CameraParams<double>& then = model.camera_of(static_cast<int64_t>(i)).params;
    if (scene.images[i].name != model.images[i].name)
      throw InputError("{}: image {} is '{}', in the run it is '{}'; name the right scene with --scene", folder.string(), i,
                       scene.images[i].name, model.images[i].name);
    if (now.width_px != then.width_px || now.height_px != then.height_px)
      throw InputError("{}: {} is used at {} x {} px, in the run at {} x {}; name the right scene with --scene",
                       folder.string(), scene.images[i].name, now.width_px, now.height_px, then.width_px, then.height_px);
  }
  const bool hdr = is_hdr(scene);
  if (hdr != model.photo_range.has_value())
    throw InputError("{}: the photos are {}OpenEXR, those of the run were{}; name the right scene with --scene",
                     folder.string(), hdr ? "" : "not ", hdr ? " not" : "");
  scene.photo_range = model.photo_range;
  return std::make_unique<ImageCache>(image_sources(scene), cache_bytes);
}

}  // namespace ptl
