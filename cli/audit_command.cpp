// pointillist audit SCENE|RUN: are the structure gradients right here?
#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/scene_options.h"
#include "cli/step_progress.h"
#include "datasets/atomic_file.h"
#include "datasets/error.h"
#include "datasets/prepare.h"
#include "datasets/split.h"
#include "renderer/audit.h"

namespace ptl {

namespace {

struct Options {
  std::string target, page, scene, points, format;
  bool json = false;
  AuditOptions audit;
};

struct Audited {
  SceneModel model;
  std::unique_ptr<ImageCache> photos;
};

/// A run as it was fitted, or a scene as it is read.
Audited open(Options& options) {
  const bool run = !is_unfitted(options.target);
  options.audit.fitted = run;
  Audited audited;
  if (run) {
    audited.model = open_run(options.target).model;
    audited.photos = open_photos(audited.model, options.scene);
    return audited;
  }
  FitConfig config = preset_config("quick");
  config.scene.points = options.points;
  config.scene.format = options.format;
  const Scene scene = open_scene(options.target, config.scene);
  const Split split = make_split(scene, config.scene.split);
  const PreparedPoints points = prepare_points(scene, {});
  const LayerChoice choice = choose_layers(scene, points, split.train, options.audit.crop_px);
  audited.model = make_scene_model(scene, split, points, config, choice.layers);
  audited.photos = std::make_unique<ImageCache>(image_sources(scene), 1ull << 30);
  return audited;
}

}  // namespace

void add_audit_command(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("audit", "check the gradients of points, poses and cameras on a scene or a run");
  command->add_option("SCENE|RUN", options->target, "folder of a scene or of a run")->required();
  command->add_option("--out", options->page, "an HTML page with plots");
  command->add_flag("--json", options->json, "JSON instead of a table");
  command->add_option("--images", options->audit.images, "training images whose poses are knocked")
      ->check(CLI::Range(1, 100000));
  command->add_option("--crops", options->audit.crops, "crops of each of them")->check(CLI::Range(1, 1000));
  command->add_option("--knock", options->audit.knock_px, "pixels that their points move by")
      ->check(CLI::Range(0.01, 100.0));
  command->add_option("--format", options->format, format_help);
  command->add_option("--points", options->points, "PLY file with the cloud (for a scene)");
  command->add_option("--scene", options->scene, "where the photos are now (for a run)");
  command->callback([options] {
    const Audited audited = open(*options);
    AuditResult result;
    {
      StepProgress progress;
      result = audit(audited.model, *audited.photos, options->audit, {},
                     [&](const char* step, int done, int total) { progress.show(step, done, total); });
    }
    if (!options->page.empty()) write_file_atomically(options->page, audit_html(audited.model.scene_name, result));
    fmt::print("{}", options->json ? audit_json(result) + "\n" : audit_text(result));
    if (!result.problems.empty()) throw InputError("audit: {} of the checks failed", result.problems.size());
  });
}

}  // namespace ptl
