#include "renderer/fit_cloud.h"

#include <fmt/format.h>

#include <chrono>

#include "datasets/error.h"
#include "datasets/ply.h"
#include "datasets/prepare.h"
#include "datasets/scene_loader.h"
#include "dense/densify.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

/// Pixels of all photos together that the stereo may look at. Measured (docs/dense.md): 36 million take about three minutes
/// on two cores; a short fit spends at most a quarter of its time on its points.
double stereo_pixels(const FitConfig& config) {
  constexpr double most = 36e6, per_minute = 12e6, share_of_the_fit = 0.25;
  if (config.steps > 0 || config.epochs > 0 || config.minutes <= 0) return most;
  return std::min(most, share_of_the_fit * config.minutes * per_minute);
}

void make_dense_points(const Scene& scene, const Split& split, const FitConfig& config, const RunFolder& run,
                       FitCloud& result, const DenseProgress& progress) {
  const auto start = std::chrono::steady_clock::now();
  DenseOptions options;
  options.max_points = config.dense.max_points;
  options.max_side_px = config.dense.stereo_size_px;
  options.all_pixels = stereo_pixels(config);
  options.fill = config.dense.fill;
  options.views.strict_split = config.dense.strict_split;
  const fs::path work = run.folder / "dense.work";
  std::error_code error;
  fs::create_directories(work, error);
  if (error) throw InputError("{}: the folder for depth maps could not be made: {}", work.string(), error.message());
  const DenseResult dense = densify(scene, split.train, options, work, progress);
  write_ply(run.dense_cloud(), dense.points.cloud, scene.origin_world, dense_comments(scene, dense, split.name, split.held_out),
            dense.points.confidence);
  fs::remove_all(work, error);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.remarks.push_back(
      fmt::format("{} dense points made from {} training photos (matched at {} px) in {:.0f} s; --no-densify keeps the "
                  "scene's own", dense.points.cloud.size(), dense.photos.size(), dense.stereo_side_px, result.seconds));
  if (dense.confirmed_share < doubtful_share)
    result.remarks.push_back(fmt::format("only {:.0f} % of the depths were confirmed by another photo: are the poses right, "
                                         "the photos sharp?", 100 * dense.confirmed_share));
}

}  // namespace

FitCloud choose_fit_cloud(Scene& scene, const Split& split, const FitConfig& config, const RunFolder& run,
                          bool may_densify, const DenseProgress& progress) {
  FitCloud result;
  if (config.dense.mode == DenseMode::off) return result;
  if (!fs::exists(run.dense_cloud())) {
    if (!may_densify) return result;
    if (config.dense.mode == DenseMode::automatic) {
      if (!config.scene.points.empty()) return result;  // the user's own choice
      PrepareOptions prepare;
      prepare.remove_isolated = config.raster.remove_isolated;
      const LayerChoice choice = choose_layers(scene, prepare_points(scene, prepare), split.train, config.crop.size_px);
      if (choice.spacing_px <= sparse_spacing_px) return result;
      result.remarks.push_back(fmt::format("the points lie about {:.0f} px apart in the photos, too sparse to draw", choice.spacing_px));
      try {
        make_dense_points(scene, split, config, run, result, progress);
      } catch (const InputError& failed) {
        result.remarks.push_back(fmt::format("no dense points could be made, the fit starts from its own: {}", failed.what()));
        return result;
      }
    } else {
      make_dense_points(scene, split, config, run, result, progress);
    }
  }
  read_cloud_file(scene, run.dense_cloud(), "dense.ply, made from the training photos");
  result.densified = true;
  return result;
}

}  // namespace ptl
