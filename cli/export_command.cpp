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
    PointCloud cloud;
    const auto count = static_cast<size_t>(model.points.size());
    cloud.position.resize(count);
    cloud.color.resize(count);
    std::copy_n(model.points.position.const_data_ptr<float>(), 3 * count, &cloud.position[0].x);
    std::copy_n(model.point_color.const_data_ptr<uint8_t>(), 3 * count, cloud.color[0].data());
    if (model.points.normal.defined()) {
      cloud.normal.resize(count);
      std::copy_n(model.points.normal.const_data_ptr<float>(), 3 * count, &cloud.normal[0].x);
    }
    PlyExtras extras;
    extras.comments = {"pointillist, scene " + model.scene_name};
    write_ply(options->ply, cloud, model.origin_world, extras);
    fmt::print("{}: {} points\n", options->ply, count);
  });
}

}  // namespace ptl
