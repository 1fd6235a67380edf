// pointillist eval RUN: scores of the held-out photos.
#include <fmt/format.h>

#include <map>
#include <memory>

#include "cli/commands.h"
#include "cli/eval_table.h"
#include "cli/scene_options.h"
#include "cli/step_progress.h"
#include "datasets/camera_path_file.h"
#include "datasets/colmap.h"
#include "datasets/error.h"
#include "datasets/image_io.h"
#include "datasets/split.h"
#include "renderer/config_io.h"
#include "renderer/device_setup.h"
#include "renderer/evaluate.h"
#include "renderer/flicker.h"
#include "renderer/image_tensor.h"
#include "renderer/score_pictures.h"

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

/// Along the path in a file, or along walks from held-out photos.
FlickerScore flicker_of(const SceneModel& model, const std::string& path_file, const std::string& scene) {
  std::vector<FlickerShot> shots;
  if (path_file.empty())
    shots = flicker_walks(model);
  else
    shots.push_back(plan_path(model, open_path(path_file, model.origin_world), 0, 0, 0).pictures);
  StepProgress progress;
  progress.show("flicker", 0, 1);
  FlickerScore score = measure_flicker(model, shots, synthetic_truth(model, scene.empty() ? model.scene_folder : scene),
                                       [&](int done, int total) { progress.show("flicker", done, total); });
  score.path = path_file;
  return score;
}

/// What was scored, as files: pictures as `score` finds them, and the photos at the size of the pictures.
class PictureWriter {
 public:
  PictureWriter(const SceneModel& model, std::filesystem::path folder, int most) : folder_(std::move(folder)) {
    std::vector<int64_t> held_out = model.held_out_images();
    std::vector<std::string> images;
    for (const int64_t image : held_out) images.push_back(model.images[static_cast<size_t>(image)].name);
    const std::vector<std::string> names = picture_names(images);
    std::vector<size_t> places(held_out.size());
    for (size_t i = 0; i < places.size(); ++i) places[i] = i;
    if (most > 0) places = spread_evenly(places, static_cast<size_t>(most));
    for (const size_t i : places) names_[held_out[i]] = names[i];
  }
  void write(const EvaluatedImage& image) const {
    const auto name = names_.find(image.image);
    if (name == names_.end()) return;
    write_png(folder_ / "renderings" / name->second, image_from_tensor(image.rendering));
    write_png(folder_ / "photos" / name->second, image_from_tensor(image.photo));
  }

 private:
  std::filesystem::path folder_;
  std::map<int64_t, std::string> names_;  ///< of the images that are written
};

}  // namespace

void add_eval_command(CLI::App& app) {
  struct Options {
    std::string run, scene, border = "full", exposure = "exif", pose = "given", poses, lpips, device = "cpu";
    UnfittedArguments unfitted;
    std::string pictures;
    int most_pictures = 0;
    bool json = false, plain = false, flicker = false;
    std::string path;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("eval", "score a run, or a scene without any fit, on its held-out photos");
  command->add_option("RUN|SCENE", options->run, "folder of a run, a model file, or a scene's folder")->required();
  options->unfitted.add_to(*command);
  CLI::Option* const plain = command->add_flag("--plain", options->plain, "score the points drawn plainly, without the network");
  command->add_flag("--json", options->json, "one JSON object instead of a table");
  command->add_option("--scene", options->scene, "where the photos are now");
  command->add_option("--border", options->border, "full, adop_border");
  command->add_option("--exposure", options->exposure, "exif, interpolated, fitted");
  command->add_option("--pose", options->pose, "given, aligned, refined: which pose held-out photos have in a fit that moved poses");
  command->add_option("--poses", options->poses, "a COLMAP model with poses to begin from, in place of the scene's (better known ones)");
  command->add_option("--lpips", options->lpips, "safetensors file with LPIPS weights");
  command->add_option("--pictures", options->pictures, "folder for what was scored: renderings/NAME.png and photos/NAME.png");
  command->add_option("--most-pictures", options->most_pictures, "of so many held-out photos at most, spread over all (0: of each)");
  CLI::Option* const flicker =
      command->add_flag("--flicker", options->flicker, "also how much pictures change from frame to frame, on short walks from held-out photos")
          ->excludes(plain);
  command->add_option("--path", options->path, "a camera path to walk instead (of the viewer, or nerfstudio's)")->needs(flicker);
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
    if (!options->pictures.empty())
      evaluation.each_image = [&, writer = PictureWriter(run.model, options->pictures, options->most_pictures)](const EvaluatedImage& image) {
        writer.write(image);
      };
    EvalResult result = evaluate(run.model, *photos, evaluation);
    result.run = std::filesystem::absolute(run.folder.folder).lexically_normal().filename().string();
    if (shown.fitted)
      add_progress(run.folder, result);
    else if (!options->json)
      fmt::print("{}\n", unfitted_note(shown));
    if (options->flicker) result.flicker = flicker_of(run.model, options->path, options->scene);
    if (options->json)
      fmt::print("{}\n", eval_result_to_json(result));
    else
      print_eval_table(result, lpips_name);
  });
}

}  // namespace ptl
