// pointillist eval RUN: scores of the held-out photos.
#include <fmt/format.h>

#include <map>
#include <memory>

#include "cli/commands.h"
#include "cli/scene_options.h"
#include "datasets/colmap.h"
#include "datasets/error.h"
#include "renderer/config_io.h"
#include "renderer/device_setup.h"
#include "renderer/evaluate.h"

namespace ptl {

namespace {

/// Steps and time as the run's metrics have them.
void add_progress(const RunFolder& run, EvalResult& result) {
  for (const nlohmann::json& line : read_metrics(run.metrics())) {
    result.steps = std::max(result.steps, line.value("step", 0LL));
    result.seconds = std::max(result.seconds, line.value("seconds", 0.0));
  }
}

/// Of the model's images by name, in its scene's coordinates.
std::vector<Pose<double>> poses_of(const SceneModel& model, const std::string& folder) {
  const ColmapModel colmap = read_colmap_model(find_colmap_model(folder));
  std::map<std::string, const ColmapImage*> by_name;
  for (const ColmapImage& image : colmap.images) by_name[image.name] = &image;
  std::vector<Pose<double>> poses;
  for (const ModelImage& image : model.images) {
    const auto found = by_name.find(image.name);
    if (found == by_name.end()) throw InputError("{}: --poses: it has no image '{}', which the run has", folder, image.name);
    const std::array<double, 3>& t = found->second->translation;
    Pose<double> pose{rotation_from_quaternion(found->second->rotation_wxyz), {t[0], t[1], t[2]}};
    pose.translation += pose.rotation * model.origin_world;
    poses.push_back(pose);
  }
  return poses;
}

void print_table(const EvalResult& result, const std::string& lpips_name) {
  size_t width = 5;
  for (const EvalImage& image : result.images) width = std::max(width, image.name.size());
  fmt::print("protocol: border {}, exposure {}, pose {}, split {}\n", result.protocol.border, result.protocol.exposure,
             result.protocol.pose, result.protocol.split);
  for (const auto& size : result.sizes_px) fmt::print("size: {} x {} px\n", size[0], size[1]);
  if (result.cloud_held_out > 0)
    fmt::print("warning: the cloud was made from {} of these held-out photos as well, so that these figures flatter\n",
               result.cloud_held_out);
  if (!result.coverage.empty()) {
    fmt::print("pixels with a point, by layer:");
    for (const double share : result.coverage) fmt::print(" {:.1f} %", 100 * share);
    fmt::print("\n");
  }
  fmt::print("{:<{}}  {:>9}  {:>6}  {:>10}\n", "image", width, "PSNR (dB)", "SSIM", lpips_name);
  for (const EvalImage& image : result.images)
    fmt::print("{:<{}}  {:>9.2f}  {:>6.3f}  {:>10}\n", image.name, width, image.score.psnr_db, image.score.ssim,
               lpips_text(image.score.lpips));
  fmt::print("{:<{}}  {:>9.2f}  {:>6.3f}  {:>10}\n", "mean", width, result.mean.psnr_db, result.mean.ssim,
             lpips_text(result.mean.lpips));
}

}  // namespace

void add_eval_command(CLI::App& app) {
  struct Options {
    std::string run, scene, border = "full", exposure = "exif", pose = "given", poses, lpips, device = "cpu";
    UnfittedArguments unfitted;
    bool json = false, plain = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("eval", "score a run, or a scene without any fit, on its held-out photos");
  command->add_option("RUN|SCENE", options->run, "folder of a run, a model file, or a scene's folder")->required();
  options->unfitted.add_to(*command);
  command->add_flag("--plain", options->plain, "score the points drawn plainly, without the network");
  command->add_flag("--json", options->json, "one JSON object instead of a table");
  command->add_option("--scene", options->scene, "where the photos are now");
  command->add_option("--border", options->border, "full, adop_border");
  command->add_option("--exposure", options->exposure, "exif, interpolated, fitted");
  command->add_option("--pose", options->pose, "given, aligned, refined: which pose held-out photos have in a fit that moved poses");
  command->add_option("--poses", options->poses, "a COLMAP model with poses to begin from, in place of the scene's (better known ones)");
  command->add_option("--lpips", options->lpips, "safetensors file with LPIPS weights");
  command->add_option("--device", options->device, "cpu or cuda");
  command->callback([options] {
    const torch::Device device = open_device(options->device);
    EvaluateOptions evaluation;
    evaluation.border = parse_word<BorderProtocol>("--border", options->border);
    evaluation.exposure = parse_word<ExposureProtocol>("--exposure", options->exposure);
    evaluation.pose = parse_word<PoseProtocol>("--pose", options->pose);
    std::string lpips_name = "LPIPS";
    if (!options->lpips.empty()) {
      auto lpips = std::make_shared<Lpips>(options->lpips);
      lpips_name = lpips->name();
      evaluation.lpips = lpips;
    }
    evaluation.plain = options->plain;
    Shown shown = open_shown(options->run, options->unfitted.options(), device);
    const OpenedRun& run = shown.run;
    if (!shown.photos_missing.empty()) throw InputError("{}: there are no photos to score on: {}", options->run, shown.photos_missing);
    if (!options->poses.empty()) evaluation.reference_poses = poses_of(run.model, options->poses);
    const auto photos = shown.fitted || !options->scene.empty() ? open_photos(run.model, options->scene) : std::move(shown.photos);
    EvalResult result = evaluate(run.model, *photos, evaluation);
    result.run = std::filesystem::absolute(run.folder.folder).lexically_normal().filename().string();
    if (shown.fitted)
      add_progress(run.folder, result);
    else if (!options->json)
      fmt::print("{}\n", unfitted_note(shown));
    if (options->json)
      fmt::print("{}\n", eval_result_to_json(result));
    else
      print_table(result, lpips_name);
  });
}

}  // namespace ptl
