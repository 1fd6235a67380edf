#include "renderer/fit_cloud.h"

#include <fmt/format.h>

#include <chrono>

#include "datasets/error.h"
#include "datasets/prepare.h"
#include "datasets/scene_loader.h"
#include "dense/densify.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

/// Pixels of all photos together that the stereo may look at. Measured (docs/dense.md): 36 million take two minutes of one
/// core; a short fit spends at most a quarter of its time on its points.
double stereo_pixels(const FitConfig& config) {
  constexpr double most = 36e6, per_minute = 26e6, share_of_the_fit = 0.25;
  if (config.steps > 0 || config.epochs > 0 || config.minutes <= 0) return most;
  return std::min(most, share_of_the_fit * config.minutes * per_minute);
}

void make_dense_points(const Device& device, const Scene& scene, const Split& split, const FitConfig& config,
                       const RunFolder& run, FitCloud& result, const DenseProgress& progress) {
  const auto start = std::chrono::steady_clock::now();
  DenseOptions options;
  options.device = device;
  options.max_points = config.dense.max_points;
  options.max_side_px = config.dense.stereo_size_px;
  options.all_pixels = stereo_pixels(config);
  options.fill = config.dense.fill;
  options.views.strict_split = config.dense.strict_split;
  const DenseResult dense = densify_to_file(scene, split, split.train, options,
                                            {run.dense_cloud(), run.folder / "dense.work"}, progress);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.remarks.push_back(
      fmt::format("{} dense points made from {} training photos (matched at {} px) in {:.0f} s; --no-densify keeps the "
                  "scene's own", dense.points.cloud.size(), dense.photos.size(), dense.stereo_side_px, result.seconds));
  if (dense.edited_away > 0)
    result.remarks.push_back(fmt::format("{} drops {} of the dense points", scene.edits_source, dense.edited_away));
  MetricsLog(run.metrics(), 0)
      .write({{"dense_points", dense.points.cloud.size()},
              {"photos", dense.photos.size()},
              {"matched_at_px", dense.stereo_side_px},
              {"seconds_matching", dense.seconds_matching},
              {"seconds_fusing", dense.seconds_fusing},
              {"seconds", result.seconds},
              {"memory_bytes", peak_resident_bytes()}});
  if (const std::string doubt = dense_doubt(dense); !doubt.empty()) result.remarks.push_back(doubt);
}

}  // namespace

DenseDecision decide_on_dense_points(const Scene& scene, const Split& split, const FitConfig& config) {
  if (config.dense.mode != DenseMode::automatic) return {config.dense.mode == DenseMode::on, 0};
  if (!config.scene.points.empty()) return {};  // the user's own choice
  const double spacing_px = point_spacing_px(scene, scene.cloud.position, split.train);
  return {spacing_px > sparse_spacing_px, spacing_px};
}

FitCloud choose_fit_cloud(const Device& device, Scene& scene, const Split& split, const FitConfig& config,
                          const RunFolder& run, bool may_densify, const DenseProgress& progress) {
  FitCloud result;
  if (config.dense.mode == DenseMode::off) return result;
  if (!fs::exists(run.dense_cloud())) {
    if (!may_densify) return result;
    const bool automatic = config.dense.mode == DenseMode::automatic;
    const DenseDecision decision = decide_on_dense_points(scene, split, config);
    if (!decision.densify) return result;
    if (automatic)
      result.remarks.push_back(
          fmt::format("the points lie about {:.0f} px apart in the photos, too sparse to draw", decision.spacing_px));
    try {
      make_dense_points(device, scene, split, config, run, result, progress);
    } catch (const InputError& failed) {
      if (!automatic) throw;
      result.remarks.push_back(fmt::format("no dense points could be made, the fit starts from its own: {}", failed.what()));
      return result;
    }
  }
  read_cloud_file(scene, run.dense_cloud(), "dense.ply, made from the training photos");
  result.densified = true;
  return result;
}

}  // namespace ptl
