// pointillist export RUN: the model's parts for other tools: points, the cameras that a fit has refined, what it found of their light.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/scene_options.h"
#include "datasets/adop_scene.h"
#include "datasets/colmap.h"
#include "datasets/error.h"
#include "datasets/ply.h"
#include "datasets/transforms_json.h"
#include "renderer/photometry_export.h"
#include "renderer/refined_scene.h"

namespace ptl {

namespace {

struct Options {
  std::string run, ply, colmap, transforms, photometry, adop, scene;
};

void export_points(const SceneModel& model, const std::string& path) {
  const PointCloud cloud = model_cloud(model);
  PlyExtras extras;
  extras.comments = {"pointillist, scene " + model.scene_name};
  write_ply(path, cloud, model.origin_world, extras);
  fmt::print("{}: {} points\n", path, cloud.size());
}

void export_cameras(const SceneModel& model, const Options& options) {
  const std::string folder = options.scene.empty() ? model.scene_folder : options.scene;
  SceneConfig config = model.config.scene;
  config.points.clear();  // only cameras and sparse points matter here
  config.edits.clear();
  Scene scene = refined_scene(model, open_scene(folder, config, false));
  if (!options.colmap.empty()) {
    for (const ColmapFormat format : {ColmapFormat::binary, ColmapFormat::text})
      write_colmap(scene, options.colmap, format);
    fmt::print("{}: {} cameras, {} images, {} points as a COLMAP model, binary and text\n", options.colmap,
               scene.cameras.size(), scene.images.size(), scene.sparse_points.size());
  }
  if (!options.transforms.empty()) {
    write_transforms_json(scene, options.transforms);
    fmt::print("{}: {} frames\n", options.transforms, scene.images.size());
  }
  if (!options.adop.empty()) {
    scene.cloud = model_cloud(model);
    write_adop_scene(scene, options.adop);
    fmt::print("{}: {} cameras, {} images, {} points as a scene of ADOP\n", options.adop, scene.cameras.size(),
               scene.images.size(), scene.cloud.size());
  }
}

void run(const Options& options) {
  const bool cameras = !options.colmap.empty() || !options.transforms.empty() || !options.adop.empty();
  if (options.ply.empty() && options.photometry.empty() && !cameras)
    throw InputError("export: say what to write: --ply FILE, --colmap FOLDER, --transforms FILE, --adop FOLDER or --photometry FOLDER");
  const OpenedRun opened = open_run(options.run);
  if (!options.ply.empty()) export_points(opened.model, options.ply);
  if (cameras) export_cameras(opened.model, options);
  if (!options.photometry.empty()) {
    write_photometry(opened.model, options.photometry);
    fmt::print("{}: exposures, responses and vignettes as tables (.csv), photometry.html\n", options.photometry);
  }
}

}  // namespace

void add_export_command(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("export", "a fitted model's parts for other tools");
  command->add_option("RUN", options->run, "folder of a run, or a model file")->required();
  command->add_option("--ply", options->ply, "the points, in the dataset's world coordinates");
  command->add_option("--colmap", options->colmap,
                      "folder for a COLMAP model with the cameras and points as fitted, same ids and names");
  command->add_option("--transforms", options->transforms, "the cameras as transforms.json");
  command->add_option("--adop", options->adop, "folder for a scene of ADOP and TRIPS: the cameras as fitted, the model's points");
  command->add_option("--photometry", options->photometry,
                      "folder for what the fit found of light: exposures, white balance, response, vignette");
  command->add_option("--scene", options->scene, "where the scene is now (for --colmap, --transforms and --adop)");
  command->callback([options] { run(*options); });
}

}  // namespace ptl
