#include "renderer/preset_outlook.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "datasets/point_filter.h"
#include "renderer/config_io.h"
#include "renderer/fitter.h"

namespace ptl {

namespace {

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Seconds of a step: the median of rehearsals of one crop, times the crops of a step.
double measure_step_s(const Scene& scene, const Split& split, const PreparedPoints& points, FitConfig config,
                      int layers, ImageCache& photos) {
  constexpr double enough_s = 2;
  constexpr size_t most = 12;
  const int64_t crops = config.crop.images_per_step * config.crop.crops_per_image;
  config.crop.images_per_step = config.crop.crops_per_image = 1;
  SceneModel model = make_scene_model(scene, split, points, config, layers);
  Fitter fitter(model, photos, 1000);
  fitter.rehearse(0);  // decodes, and asks for memory
  std::vector<double> seconds;
  for (const double start = now_s(); seconds.empty() || (seconds.size() < most && now_s() - start < enough_s);) {
    const double before = now_s();
    fitter.rehearse(static_cast<int64_t>(seconds.size()) + 1);
    seconds.push_back(now_s() - before);
  }
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2), seconds.end());
  return static_cast<double>(crops) * seconds[seconds.size() / 2];
}

}  // namespace

ExpectedStart expected_start(Scene scene, const Split& split, const FitConfig& config) {
  constexpr double dense_spacing_px = 1;  // about: not sparse is all that matters
  ExpectedStart start;
  start.decision = decide_on_dense_points(scene, split, config);
  apply_edits(scene);
  start.points = prepare_points(scene, PrepareOptions{});
  start.layers = choose_layers(scene, start.points, split.train, config.crop.size_px);
  start.used_layers = config.raster.layers ? config.raster.layers : start.layers.layers;
  start.cloud = {start.points.size(), !start.points.normal.empty(), start.layers.spacing_px};
  if (start.decision.densify) start.cloud = {static_cast<uint64_t>(config.dense.max_points), true, dense_spacing_px};
  return start;
}

PresetOutlook preset_outlook(const Scene& scene, const std::string& preset, const SceneConfig& scene_config,
                             uint64_t image_cache_bytes) {
  FitConfig config = preset_config(preset);
  config.scene = scene_config;
  const Split split = make_split(scene, scene_config.split);
  ExpectedStart start = expected_start(scene, split, config);
  PresetOutlook outlook;
  outlook.memory = predict_fit_memory(scene, start.cloud, config, start.used_layers, image_cache_bytes);
  outlook.densifies = start.decision.densify;
  ImageCache photos(image_sources(scene), image_cache_bytes);
  const auto step_s = [&](const PreparedPoints& points) {
    return measure_step_s(scene, split, points, config, start.used_layers, photos);
  };
  outlook.step_seconds = step_s(start.points);
  if (start.decision.densify && start.cloud.points > start.points.size()) {
    // A step's time grows with the points; as many as a fit makes would take minutes to make.
    constexpr int most_copies = 64;
    PrepareOptions prepare;
    prepare.densify = static_cast<int>(
        std::clamp<uint64_t>(start.cloud.points / std::max<uint64_t>(1, start.points.size()), 2, most_copies));
    const PreparedPoints more = prepare_points(scene, prepare);
    const double with_more_s = std::max(outlook.step_seconds, step_s(more));
    const auto share = [&](uint64_t points) {
      return static_cast<double>(points) - static_cast<double>(start.points.size());
    };
    if (more.size() > start.points.size())
      outlook.step_seconds +=
          (with_more_s - outlook.step_seconds) * std::max(1.0, share(start.cloud.points) / share(more.size()));
  }
  if (config.epochs > 0) {
    const auto training = static_cast<int64_t>(split.train.size());
    outlook.steps = (config.epochs * training + config.crop.images_per_step - 1) / config.crop.images_per_step;
    outlook.seconds = static_cast<double>(outlook.steps) * outlook.step_seconds;
  } else {
    outlook.seconds = 60 * config.minutes;
    outlook.steps = static_cast<int64_t>(outlook.seconds / std::max(1e-6, outlook.step_seconds));
  }
  return outlook;
}

std::string rough_duration(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", seconds);
  if (seconds < 90 * 60) return fmt::format("{:.0f} min", seconds / 60);
  if (seconds < 48 * 3600.0) return fmt::format("{:.0f} h", seconds / 3600);
  return fmt::format("{:.0f} days", seconds / 86400);
}

}  // namespace ptl
