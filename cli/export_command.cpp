// pointillist export RUN --ply FILE: the model's points for other tools.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/scene_options.h"
#include "datasets/error.h"
#include "datasets/ply.h"

namespace ptl {

void add_export_command(CLI::App& app) {
  struct Options {
    std::string run, ply;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("export", "a fitted model's parts for other tools");
  command->add_option("RUN", options->run, "folder of a run, or a model file")->required();
  command->add_option("--ply", options->ply, "the points, in the dataset's world coordinates")->required();
  command->callback([options] {
    const OpenedRun run = open_run(options->run);
    const SceneModel& model = run.model;
    const PointCloud cloud = model_cloud(model);
    PlyExtras extras;
    extras.comments = {"pointillist, scene " + model.scene_name};
    write_ply(options->ply, cloud, model.origin_world, extras);
    fmt::print("{}: {} points\n", options->ply, cloud.size());
  });
}

}  // namespace ptl
