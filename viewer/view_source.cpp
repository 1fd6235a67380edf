#include "viewer/view_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "datasets/error.h"
#include "renderer/checkpoint.h"
#include "renderer/config_io.h"
#include "renderer/eval_result.h"
#include "renderer/model_file.h"
#include "renderer/open_run.h"
#include "renderer/photometry.h"
#include "renderer/unfitted_model.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

/// A view needs few decoded photos at once.
constexpr uint64_t photo_cache_bytes = 256ull << 20;
constexpr int most_attempts = 5;
/// Without a fit: so many points are ready in less than a second, and no more than so many at all.
constexpr int64_t coarse_unfitted_points = 100'000, most_unfitted_points = 4'000'000;

std::vector<std::array<uint8_t, 3>> colors_of(const torch::Tensor& color) {
  std::vector<std::array<uint8_t, 3>> colors(static_cast<size_t>(color.size(0)));
  const torch::Tensor bytes = color.to(torch::kCPU).contiguous();
  if (!colors.empty()) std::memcpy(colors.data(), bytes.const_data_ptr<uint8_t>(), colors.size() * 3);
  return colors;
}

std::vector<Vec3<float>> positions_of(const torch::Tensor& position) {
  std::vector<Vec3<float>> positions(static_cast<size_t>(position.size(0)));
  const torch::Tensor values = position.detach().to(torch::kCPU).contiguous();
  if (!positions.empty())
    std::memcpy(positions.data(), values.const_data_ptr<float>(), positions.size() * sizeof(Vec3<float>));
  return positions;
}

void describe_model(const SceneModel& model, ViewScene& scene) {
  scene.has_model = true;
  scene.name = model.scene_name;
  scene.layers = model.layers;
  scene.channels = model.config.raster.channels + (model.config.raster.coverage_channel ? 1 : 0);
  scene.network = network_kind_name(model.config.network.kind);
  scene.device = model.device().is_cuda() ? "cuda" : "cpu";
  scene.origin_world = model.origin_world;
  for (size_t i = 0; i < model.images.size(); ++i) {
    const ModelImage& from = model.images[i];
    const PhotometricSetting setting = photometric_setting(model, static_cast<int64_t>(i), ExposureProtocol::exif);
    ViewImage image;
    image.name = from.name;
    image.camera = model.camera_of(static_cast<int64_t>(i)).params;
    image.camera_from_world = from.camera_from_world;
    image.held_out = from.held_out;
    image.exposure_ev = setting.exposure_ev;
    std::copy_n(setting.white_balance, 2, image.white_balance);
    scene.images.push_back(image);
  }
}

/// Of a scene without a model.
void describe_scene(const Scene& from, ViewScene& scene) {
  scene.name = from.folder.filename().string();
  scene.origin_world = from.origin_world;
  for (const SceneImage& entry : from.images) {
    ViewImage image;
    image.name = entry.name;
    image.camera = from.camera_of(entry).params;
    image.camera_from_world = entry.camera_from_world;
    scene.images.push_back(image);
  }
}

std::shared_ptr<const DrawnCloud> cloud_of(const SceneModel& model) {
  return std::make_shared<DrawnCloud>(
      arrange_cloud(positions_of(model.points.position), colors_of(model.point_color), /*in_order=*/true));
}

}  // namespace

ViewSource::ViewSource(std::string path, SceneConfig unfitted, std::string scene_folder, torch::Device device, bool follow)
    : path_(fs::absolute(path).lexically_normal().string()),
      scene_folder_(std::move(scene_folder)),
      unfitted_config_(std::move(unfitted)),
      device_(device),
      follow_(follow) {
  while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
}

std::optional<ViewSource::Stamp> ViewSource::newest() const {
  std::vector<std::string> files = {path_};
  std::error_code ignored;
  if (fs::is_directory(path_, ignored))
    files = {RunFolder{path_}.model().string(), RunFolder{path_}.checkpoint().string()};
  std::optional<Stamp> best;
  for (const std::string& file : files) {
    struct stat status = {};
    if (::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    const Stamp stamp{file, status.st_ino, status.st_mtim.tv_sec * 1'000'000'000ll + status.st_mtim.tv_nsec};
    // A model is what a fit ends with; the checkpoint beside it is as old. Only a fit that goes on has a newer one.
    if (!best || (follow_ && stamp.changed_ns > best->changed_ns)) best = stamp;
  }
  return best;
}

bool ViewSource::has_newer() const {
  const std::optional<Stamp> now = newest();
  return now && now != loaded_ && now != refused_;
}

bool ViewSource::is_there() const {
  std::error_code ignored;
  return loaded_ ? newest().has_value() : fs::exists(path_, ignored);
}

LoadedView ViewSource::load() {
  if (!fs::exists(path_) && !follow_) throw InputError("{}: no such scene, run or model file", path_);
  const std::optional<Stamp> stamp = newest();
  LoadedView view;
  if (!follow_ && fs::exists(path_) && is_unfitted(path_)) {
    view = load_unfitted();
  } else if (!stamp) {
    throw InputError("{}: no model and no checkpoint in it yet{}", path_,
                     follow_ ? "; waiting for the fit's first checkpoint"
                             : "; expected a run that 'pointillist fit' made (--follow waits for a fit that goes on)");
  } else {
    view = load_steady(*stamp);
  }
  view.scene->path = path_;
  return view;
}

LoadedView ViewSource::load_steady(Stamp stamp) {
  // A fit may put another file in its place between two reads of it; parts of two files make no model.
  for (int attempt = 1;; ++attempt) {
    const auto again = [&]() -> bool {
      const std::optional<Stamp> now = newest();
      if (!now || *now == stamp || attempt >= most_attempts) return false;
      stamp = *now;
      return true;
    };
    try {
      LoadedView view = load_run(stamp);
      if (again()) continue;
      loaded_ = stamp;
      return view;
    } catch (const InputError&) {
      if (again()) continue;
      refused_ = stamp;
      throw;
    }
  }
}

LoadedView ViewSource::load_unfitted() {
  LoadedView view;
  view.scene = std::make_shared<ViewScene>();
  ViewScene& scene = *view.scene;
  if (!coarse_) {
    const std::optional<Stamp> stamp = newest();
    unfitted_ = open_unfitted(path_, unfitted_config_, photos_missing_);
    if (photos_missing_.empty()) photos_ = std::make_shared<ImageCache>(image_sources(*unfitted_), photo_cache_bytes);
    unfitted_cloud_ =
        std::make_shared<DrawnCloud>(arrange_cloud(unfitted_->cloud.position, unfitted_->cloud.color, /*in_order=*/false));
    loaded_ = stamp;
  }
  const auto count = static_cast<int64_t>(unfitted_->cloud.size());
  const int64_t most_points = coarse_ ? most_unfitted_points : coarse_unfitted_points;
  scene.remarks = unfitted_->oddities;
  UnfittedOptions options;
  options.scene = unfitted_config_;
  options.most_points = most_points;
  if (coarse_ || count <= most_points) options.photos = photos_.get();
  try {
    view.model = unfitted_model(*unfitted_, options, device_);
    coarse_ = !coarse_ && count > most_points;
    if (!coarse_ && count > most_points)
      scene.remarks.push_back(fmt::format("rendered from {} of its {} points", view.model->points.size(), count));
    describe_model(*view.model, scene);
  } catch (const InputError& error) {  // what cannot be rendered can still be looked at
    coarse_ = false;
    scene.remarks.push_back(error.what());
    describe_scene(*unfitted_, scene);
  }
  scene.fitted = false;
  scene.coarse = coarse_;
  scene.cloud = unfitted_cloud_;
  scene.source_file = unfitted_file(path_, unfitted_config_).string();
  scene.photos = photos_;
  scene.photos_missing = photos_missing_;
  if (!coarse_) unfitted_.reset();
  return view;
}

LoadedView ViewSource::load_run(const Stamp& stamp) {
  LoadedView view;
  view.scene = std::make_shared<ViewScene>();
  const SafetensorsFile file(stamp.file);
  view.model = read_model(file, device_);
  ViewScene& scene = *view.scene;
  describe_model(*view.model, scene);
  scene.cloud = cloud_of(*view.model);
  scene.source_file = stamp.file;
  scene.scene_folder = scene_folder_.empty() ? view.model->scene_folder : scene_folder_;
  if (file.metadata().count("fit")) {
    const Checkpoint checkpoint(stamp.file);
    scene.step = checkpoint.state.step;
    scene.step_budget = checkpoint.state.step_budget;
  }
  const RunFolder run{fs::is_directory(path_) ? fs::path(path_) : fs::path(path_).parent_path()};
  if (fs::exists(run.eval())) {
    try {
      std::map<std::string, double> psnr_db;
      for (const EvalImage& image : read_eval_result(run.eval()).images) psnr_db[image.name] = image.score.psnr_db;
      for (ViewImage& image : scene.images)
        if (const auto found = psnr_db.find(image.name); found != psnr_db.end()) image.psnr_db = found->second;
    } catch (const InputError& error) {
      scene.remarks.push_back(error.what());
    }
  }
  try {
    // Each checkpoint of a fit has the same photos, and reading their EXIF again takes seconds.
    std::string photos_key = view.model->scene_folder;
    for (const ViewImage& image : scene.images)
      photos_key += fmt::format("\n{} {} {}", image.name, image.camera.width_px, image.camera.height_px);
    if (!photos_ || photos_key != photos_key_) {
      photos_ = open_photos(*view.model, scene_folder_, photo_cache_bytes);
      photos_key_ = std::move(photos_key);
    }
    scene.photos = photos_;
  } catch (const InputError& error) {
    scene.photos_missing = error.what();
  }
  return view;
}

}  // namespace ptl
