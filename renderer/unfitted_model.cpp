#include "renderer/unfitted_model.h"

#include "datasets/error.h"
#include "datasets/point_filter.h"
#include "datasets/prepare.h"
#include "datasets/scene_formats.h"
#include "datasets/split.h"
#include "renderer/cloud_overview.h"
#include "renderer/environment_colors.h"
#include "renderer/builtin_networks.h"
#include "renderer/network_init.h"
#include "renderer/open_run.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

constexpr uint64_t photo_cache_bytes = 64ull << 20;  // each is looked at once, or twice

void thin(PointCloud& cloud, int64_t most_points) {
  if (static_cast<int64_t>(cloud.size()) <= most_points) return;
  const double share = static_cast<double>(most_points) / static_cast<double>(cloud.size());
  std::vector<uint8_t> kept(cloud.size());
  for (size_t i = 0; i < kept.size(); ++i) kept[i] = static_cast<double>(draw_unit(0, DrawPurpose::thin, i)) <= share;
  keep_flagged(cloud.position, kept);
  keep_flagged(cloud.color, kept);
  keep_flagged(cloud.normal, kept);
}

}  // namespace

bool is_unfitted(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) return path.extension() == ".ply" || !detect_scene(path).empty();
  if (!fs::is_directory(path, ignored)) return path.extension() == ".ply";
  const RunFolder run{path};
  return !fs::exists(run.config()) && !fs::exists(run.model()) && !fs::exists(run.checkpoint());
}

Scene open_unfitted(const fs::path& path, const SceneConfig& config, std::string& photos_missing) {
  photos_missing.clear();
  if (path.extension() == ".ply") {
    photos_missing = path.filename().string() + " is a cloud: it has no photos";
    return scene_of_cloud(path);
  }
  try {
    return open_scene(path, config);
  } catch (const InputError& error) {
    Scene scene = open_scene(path, config, /*photos_needed=*/false);  // cameras and points can be seen without photos
    photos_missing = error.what();
    return scene;
  }
}

fs::path unfitted_file(const fs::path& path, const SceneConfig& config) {
  if (path.extension() == ".ply") return path;
  if (!config.points.empty()) return config.points;
  if (fs::exists(path / "points.ply")) return path / "points.ply";
  const fs::path found = choose_scene(path, config.format).file;
  if (!fs::is_directory(found)) return found;
  return fs::exists(found / "points3D.bin") ? found / "points3D.bin" : found / "points3D.txt";
}

SceneModel unfitted_model(Scene scene, const UnfittedOptions& options, torch::Device device) {
  FitConfig config = preset_config("quick");
  config.scene = options.scene;
  config.network.kind = options.network;
  config.network.init = "builtin";
  config.environment.height = options.photos ? 256 : 2;
  config.environment.width = options.photos ? 512 : 4;
  apply_edits(scene);
  thin(scene.cloud, options.most_points);
  const PreparedPoints points = prepare_points(scene, {});
  const Split split = make_split(scene, scene.images.size() > 1 ? config.scene.split : "none");
  const LayerChoice layers = choose_layers(scene, points, split.train);
  // As many layers as it was trained with: nothing will teach it what to make of more.
  const NetworkInit init = choose_network_init(config, nearest_builtin_layers(config.network.kind, layers.layers));
  SceneModel model = make_scene_model(scene, split, points, config, layers.layers, device);
  model.point_spacing_px = layers.spacing_px;
  set_network_weights(*model.network, *init.weights, init.source);
  if (options.photos) color_environment(model, *options.photos);
  return model;
}

Shown open_shown(const fs::path& path, const UnfittedOptions& options, torch::Device device) {
  if (!is_unfitted(path)) return {open_run(path, device), true, nullptr, ""};
  Shown shown;
  Scene scene = open_unfitted(path, options.scene, shown.photos_missing);
  if (shown.photos_missing.empty()) shown.photos = std::make_unique<ImageCache>(image_sources(scene), photo_cache_bytes);
  UnfittedOptions with_photos = options;
  with_photos.photos = shown.photos.get();
  shown.fitted = false;
  shown.run.folder.folder = fs::is_directory(path) ? path : path.parent_path();
  shown.run.model_path = unfitted_file(path, options.scene);
  shown.run.model = unfitted_model(std::move(scene), with_photos, device);
  return shown;
}

}  // namespace ptl
