// pointillist info SCENE: what was read, in a table.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/scene_options.h"
#include "datasets/point_filter.h"
#include "datasets/scene_info.h"
#include "datasets/split.h"
#include "renderer/config_io.h"
#include "renderer/preset_outlook.h"

namespace ptl {

void add_info_command(CLI::App& app) {
  struct Options {
    std::string scene;
    SceneConfig config;
    std::string preset = "quick";
    std::vector<std::string> settings;
    int image_cache_mib = 2048;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("info", "what a scene holds, what is odd about it, and what a fit will need");
  command->add_option("SCENE", options->scene, "folder with a COLMAP model and its photos")->required();
  command->add_option("--points", options->config.points, "PLY file with the cloud");
  command->add_option("--edits", options->config.edits, "JSON file of points to leave out: boxes and brush strokes");
  add_reading_options(*command, options->config);
  command->add_option("--preset", options->preset, "preset whose memory is predicted");
  command->add_option("--set", options->settings, "group.key=value, a setting of the fit whose memory is predicted");
  command->add_option("--image-cache", options->image_cache_mib, "MiB of decoded photos that a fit keeps");
  command->callback([options] {
    Scene scene = open_scene(options->scene, options->config);
    FitConfig config = preset_config(options->preset);
    for (const std::string& setting : options->settings) apply_setting(setting, config);
    config.check();
    config.scene = options->config;
    const Split split = make_split(scene, options->config.split);
    const ExpectedStart start = expected_start(scene, split, config);
    apply_edits(scene);
    fmt::print("{}", describe_scene(scene));
    fmt::print("split {}: {} training images, {} held out\n", split.name, split.train.size(), split.held_out.size());
    for (const std::string& remark : start.points.remarks) fmt::print("{}\n", remark);
    fmt::print("{}\n", start.layers.reason);
    if (start.decision.densify)
      fmt::print("a fit makes at most {} dense points from the training photos first{}; --no-densify keeps the scene's own\n",
                 config.dense.max_points,
                 start.decision.spacing_px > 0 ? fmt::format(" (its own lie about {:.0f} px apart)", start.decision.spacing_px) : "");
    const uint64_t cache_bytes = static_cast<uint64_t>(options->image_cache_mib) << 20;
    fmt::print("{}", describe_memory(predict_fit_memory(scene, start.cloud, config, start.used_layers, cache_bytes),
                                     options->preset));
  });
}

}  // namespace ptl
