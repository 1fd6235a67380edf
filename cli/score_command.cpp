// pointillist score PICTURES --scene SCENE: any program's pictures of the held-out photos, by the code of eval.
#include <fmt/format.h>

#include <memory>

#include "cli/commands.h"
#include "cli/eval_table.h"
#include "cli/scene_options.h"
#include "datasets/image_cache.h"
#include "renderer/config_io.h"
#include "renderer/evaluate.h"
#include "renderer/open_run.h"
#include "renderer/score_pictures.h"

namespace ptl {

void add_score_command(CLI::App& app) {
  struct Options {
    std::string pictures, scene, border = "full", exposure = "unstated", pose = "given", lpips;
    SceneConfig config;
    bool by_order = false, json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "score", "score pictures of the held-out photos that any program made, as eval scores a run's");
  command
      ->add_option("PICTURES", options->pictures, "folder with a picture of each held-out photo, of its name and size")
      ->required();
  command->add_option("--scene", options->scene, "folder of the scene")->required();
  add_reading_options(*command, options->config);
  command->add_flag("--by-order", options->by_order,
                    "the pictures, sorted by name, are those of the held-out photos in their order");
  command->add_option("--border", options->border, "full, adop_border");
  command->add_option("--exposure", options->exposure,
                      "how the pictures' exposure came about: exif, interpolated, fitted (to the left halves: the "
                      "right ones are scored), "
                      "unstated");
  command->add_option("--pose", options->pose, "how their poses did: given, aligned, refined (on the left halves)");
  command->add_option("--lpips", options->lpips, "safetensors file with LPIPS weights");
  command->add_flag("--json", options->json, "one JSON object, as eval --json, instead of a table");
  command->callback([options] {
    ScoringOptions scoring;
    scoring.border = parse_word<BorderProtocol>("--border", options->border);
    const ExposureProtocol exposure = options->exposure == "unstated"
                                          ? ExposureProtocol::exif
                                          : parse_word<ExposureProtocol>("--exposure", options->exposure);
    scoring.right_half = scores_right_half(exposure, parse_word<PoseProtocol>("--pose", options->pose));
    std::string lpips_name = "LPIPS";
    if (!options->lpips.empty()) {
      const auto lpips = std::make_shared<Lpips>(options->lpips);
      lpips_name = lpips->name();
      scoring.lpips = lpips;
    }
    const Scene scene = open_scene(options->scene, options->config);
    const Split split = make_split(scene, options->config.split);
    ImageCache photos(image_sources(scene), 1ull << 30);
    EvalResult result = score_pictures(scene, split, photos, options->pictures, options->by_order, scoring);
    result.protocol.border = options->border;
    result.protocol.exposure = options->exposure;
    result.protocol.pose = options->pose;
    if (options->json)
      fmt::print("{}\n", eval_result_to_json(result));
    else
      print_eval_table(result, lpips_name);
  });
}

}  // namespace ptl
