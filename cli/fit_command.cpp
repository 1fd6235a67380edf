// pointillist fit SCENE --out RUN: the fit, its progress line, Ctrl-C, and the report at the end.
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <memory>

#include "cli/commands.h"
#include "cli/interrupts.h"
#include "cli/scene_options.h"
#include "cli/step_progress.h"
#include "datasets/error.h"
#include "datasets/image_io.h"
#include "datasets/point_filter.h"
#include "datasets/prepare.h"
#include "datasets/scene_formats.h"
#include "datasets/scene_info.h"
#include "datasets/split.h"
#include "renderer/cloud_sides.h"
#include "renderer/config_io.h"
#include "renderer/device_setup.h"
#include "renderer/environment_colors.h"
#include "renderer/first_light.h"
#include "renderer/fit.h"
#include "renderer/fit_cloud.h"
#include "renderer/grow.h"
#include "renderer/model_file.h"
#include "renderer/network_init.h"
#include "renderer/preset_outlook.h"
#include "renderer/run_report.h"
#include "renderer/tensor_device.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

struct Options {
  std::string scene, run, preset, network, config_file, device = "cpu";
  std::string points, edits, format, images, masks, split, densify, grow;
  std::vector<std::string> fitted, frozen;
  std::string structure_gradient, network_init;
  double minutes = 0, image_scale = 0;
  int64_t steps = 0, seed = -1, check_every = 0;
  int max_size_px = 0, image_cache_mib = 2048, memory_limit_mib = 0;
  double checkpoint_seconds = 60;
  bool resume = false, report = true;
  std::vector<std::string> settings;
};

/// What the command line says about anything but the fit's length.
void apply_options(const Options& options, FitConfig& config) {
  if (options.network_init == "random" || options.network_init == "builtin" || options.network_init == "auto") {
    config.network.init = options.network_init;
  } else if (!options.network_init.empty()) {
    config.network.init = fs::absolute(options.network_init).lexically_normal().string();
    configure_for(read_network_weights(fs::path(config.network.init)), config);
  }
  if (!options.network.empty()) apply_setting("network.kind=" + options.network, config);
  if (!options.densify.empty()) apply_setting("dense.mode=" + options.densify, config);
  if (!options.grow.empty()) {
    config.grow.enabled = options.grow != "off";
    config.grow.dense = options.grow == "on";
  }
  if (options.seed >= 0) config.seed = options.seed;
  if (!options.points.empty()) config.scene.points = fs::absolute(options.points).lexically_normal().string();
  if (!options.edits.empty()) config.scene.edits = fs::absolute(options.edits).lexically_normal().string();
  if (!options.format.empty()) config.scene.format = options.format;
  // A run remembers the folder: what it is in it that was named is the format.
  if (config.scene.format.empty() && fs::is_regular_file(options.scene)) config.scene.format = choose_scene(options.scene).format->name;
  if (!options.images.empty()) config.scene.images = options.images;
  if (!options.masks.empty()) config.scene.masks = options.masks;
  if (!options.split.empty()) config.scene.split = options.split;
  if (options.image_scale > 0) config.scene.image_scale = options.image_scale;
  if (options.max_size_px > 0) config.scene.max_size_px = options.max_size_px;
  for (const std::string& group : options.fitted) apply_setting("groups." + group + ".frozen=false", config);
  if (!options.structure_gradient.empty()) {
    config.structure.points = options.structure_gradient == "drawn" ? StructurePoints::drawn : StructurePoints::ghosts;
    config.structure.even_pose_steps = options.structure_gradient != "paper";
    config.structure.neighbours = options.structure_gradient == "override" ? NeighbourRule::overriding : NeighbourRule::tested;
  }
  for (const std::string& group : options.frozen) apply_setting("groups." + group + ".frozen=true", config);
  for (const std::string& setting : options.settings) apply_setting(setting, config);
}

/// Preset, then the file, then options, then --set. hdr: the scene's photos are.
FitConfig configuration(const Options& options, bool hdr) {
  FitConfig config = preset_config(options.preset.empty() ? "quick" : options.preset);
  if (hdr) fix_light(config);
  if (!options.config_file.empty()) read_toml(options.config_file, config);
  if (options.steps > 0 || options.minutes > 0) {
    config.steps = options.steps;
    config.minutes = options.steps > 0 ? 0 : options.minutes;
    config.epochs = 0;
  }
  apply_options(options, config);
  // With VGG19's weights the loss is ADOP's, unless the user set another (method section 7).
  if (!config.vgg_weights.empty() && differences(config.loss, LossConfig{}).empty()) config.loss = default_loss(true);
  config.check();
  if (config.steps == 0 && config.epochs == 0 && config.minutes == 0)
    throw InputError("configuration: none of steps, epochs and minutes is given; use --steps or --minutes");
  return config;
}

/// What --resume takes as given: the run's own configuration, with a raised length. Anything else that the user asked for
/// must agree with it.
FitConfig resumed_configuration(const Options& options, const FitConfig& stored, bool hdr) {
  FitConfig config = stored;
  if (!options.preset.empty() || !options.config_file.empty()) {
    Options asked = options;
    if (options.preset.empty()) asked.preset = stored.preset;
    if (asked.steps == 0 && asked.minutes == 0) {
      asked.steps = stored.steps;
      asked.minutes = stored.minutes;
    }
    if (asked.seed < 0) asked.seed = stored.seed;
    config = configuration(asked, hdr);
    choose_network_init(config, stored.raster.layers);  // as at the run's beginning
  } else {
    apply_options(options, config);
    if (options.steps > 0) config.steps = options.steps;
    if (options.minutes > 0) config.minutes = options.minutes;
    if (options.minutes > 0 && stored.steps > 0 && options.steps == 0)
      throw InputError("--resume: the run was given --steps {}; raise that, not --minutes", stored.steps);
    config.check();
  }
  std::string found;
  for (const ConfigDifference& difference : differences(stored, config)) {
    if (difference.key == "steps" && config.steps >= stored.steps && (stored.steps > 0 || config.steps > 0)) continue;
    if (difference.key == "minutes" && (config.minutes >= stored.minutes || config.steps > 0)) continue;
    found += fmt::format("{}  {}: {} in the run, {} now", found.empty() ? "" : ";", difference.key, difference.first,
                         difference.second);
  }
  if (!found.empty())
    throw InputError("--resume: only steps and minutes may be raised, but these settings differ:{}; start another run "
                     "with --out for them", found);
  return config;
}

/// One line on a terminal, overwritten; a line every ten seconds elsewhere.
class ProgressLine {
 public:
  void show(const FitProgress& progress) {
    if (!terminal_ && progress.seconds < next_ && progress.step < progress.step_budget) return;
    next_ = progress.seconds + 10;
    const std::string psnr = std::isnan(progress.held_out_psnr_db) ? "-" : fmt::format("{:.2f} dB", progress.held_out_psnr_db);
    const int left = static_cast<int>(progress.seconds_left);
    fmt::print(stderr, "{}step {}/{}  loss {:.4f}  held-out PSNR {}  {}:{:02d} left  {} points  {} MiB{}", terminal_ ? "\r" : "",
               progress.step, progress.step_budget, progress.loss, psnr, left / 60, left % 60,
               progress.points, progress.resident_bytes >> 20, terminal_ ? "   " : "\n");
    shown_ = true;
  }
  ~ProgressLine() {
    if (terminal_ && shown_) fmt::print(stderr, "\n");
  }

 private:
  bool terminal_ = ::isatty(2) != 0, shown_ = false;
  double next_ = 0;
};

/// For the report: a cloud from three sides.
void draw_cloud(const RunFolder& run, const char* which, const PointCloud& cloud, const ExtentBox& box) {
  write_png(run.cloud_picture(which), cloud_sides(cloud.position, cloud.color, box));
}

/// Poses and points that wanted to go farther than they may.
void report_held(const SceneModel& model, const StructureReport& report) {
  constexpr size_t most_named = 5;
  if (!report.held_images.empty()) {
    std::string names;
    for (size_t k = 0; k < std::min(most_named, report.held_images.size()); ++k)
      names += (k ? ", " : "") + model.images[static_cast<size_t>(report.held_images[k])].name;
    fmt::print("note: {} poses reached their limit (structure.max_pose_shift) and were held there: {}{}\n", report.held_images.size(),
               names, report.held_images.size() > most_named ? ", ..." : "");
  }
  if (report.held_points > 0)
    fmt::print("note: points were held at their limit (structure.max_point_shift) {} times\n", report.held_points);
}

/// What was asked for, or what --memory-limit leaves of it.
uint64_t image_cache_bytes(const Options& options, const Scene& scene, const Split& split, const FitConfig& config) {
  const uint64_t asked = static_cast<uint64_t>(options.image_cache_mib) << 20;
  if (options.memory_limit_mib <= 0) return asked;
  const ExpectedStart start = expected_start(scene, split, config);
  const MemoryPrediction memory = predict_fit_memory(scene, start.cloud, config, start.used_layers, asked);
  const uint64_t within = image_cache_within(memory, static_cast<uint64_t>(options.memory_limit_mib) << 20);
  if (within == memory.image_cache) return asked;
  fmt::print("note: the image cache gets {} MiB instead of {}, to stay within --memory-limit {}: photos are decoded more often\n", within >> 20,
             memory.image_cache >> 20, options.memory_limit_mib);
  return within;
}

void run(const Options& options) {
  keep_freed_memory();
  const torch::Device device = open_device(options.device);
  const RunFolder folder{options.run};
  const bool exists = fs::exists(folder.config()) || fs::exists(folder.checkpoint()) || fs::exists(folder.model());
  if (exists && !options.resume)
    throw InputError("{}: there is a run in this folder already; go on with --resume, or choose another with --out",
                     options.run);
  if (!exists && options.resume)
    throw InputError("{}: no run to resume in this folder; leave --resume away to start one", options.run);
  std::unique_ptr<Checkpoint> checkpoint;
  if (options.resume && fs::exists(folder.checkpoint())) checkpoint = std::make_unique<Checkpoint>(folder.checkpoint());

  FitConfig config;
  Scene scene;
  if (options.resume) {
    FitConfig stored;
    if (checkpoint)
      stored = read_model_config(checkpoint->file);
    else
      read_toml(folder.config(), stored);
    scene = open_scene(options.scene, stored.scene);
    config = resumed_configuration(options, stored, scene.photo_range.has_value());
  } else {
    config = configuration(options, false);
    scene = open_scene(options.scene, config.scene);
    if (scene.photo_range) config = configuration(options, true);
  }
  const Split split = make_split(scene, config.scene.split);
  const uint64_t cache_bytes = image_cache_bytes(options, scene, split, config);
  const RunLock lock(folder);
  const ExtentBox box = extent_box(scene.cloud.position);
  if (options.report) draw_cloud(folder, "own", scene.cloud, box);
  const FitCloud cloud = [&] {
    StepProgress progress;
    const TensorDevice matching("fit", device);
    return choose_fit_cloud(matching, scene, split, config, folder, !checkpoint,
                            [&](const char* step, int done, int total) {
                              progress.show(fmt::format("dense points: {}", step), done, total);
                            });
  }();
  apply_edits(scene);  // again on dense points, which were made without what these drop: it may have been another list
  if (options.report && (cloud.densified || !scene.edits.empty())) draw_cloud(folder, "begin", scene.cloud, box);
  PrepareOptions prepare;
  prepare.seed = static_cast<uint64_t>(config.seed);
  prepare.densify = config.raster.densify;
  prepare.remove_isolated = config.raster.remove_isolated;
  PreparedPoints points = prepare_points(scene, prepare);
  fmt::print("{} images ({} held out), {} points from {}\n", scene.images.size(), split.held_out.size(), points.size(),
             scene.cloud_source);
  for (const std::string& remark : cloud.remarks) fmt::print("note: {}\n", remark);
  for (const std::string& oddity : scene.oddities) fmt::print("note: {}\n", oddity);
  for (const std::string& remark : points.remarks) fmt::print("note: {}\n", remark);
  const LayerChoice layers = choose_layers(scene, points, split.train, config.crop.size_px);
  if (config.raster.layers == 0) fmt::print("{}\n", layers.reason);
  if (config.grow.enabled && !points_grow(config.grow, layers.spacing_px))
    fmt::print("the points are dense: none come and go during the fit (--grow on: they do)\n");
  fmt::print("{}\n", loss_description(config.loss, !config.vgg_weights.empty()));

  const NetworkInit init = checkpoint ? NetworkInit{} : choose_network_init(config, layers.layers);
  if (!init.remark.empty()) fmt::print("{}\n", init.remark);
  SceneModel model = make_scene_model(scene, split, points, config, layers.layers, device);
  model.point_spacing_px = layers.spacing_px;
  if (init.weights) set_network_weights(*model.network, *init.weights, init.source);
  points = {};  // hundreds of MiB that nobody needs any more
  scene.cloud = {};
  if (checkpoint) {
    if (scene_fingerprint(model) != checkpoint->state.scene_fingerprint)
      throw InputError("--resume: the scene in {} is not the one that this run was started with (cameras, poses, exposures, "
                       "split or points differ); name that one, or start another run with --out", options.scene);
    model = read_model(checkpoint->file, device);
    model.config = config;
  } else if (options.resume) {
    fmt::print("the run has no checkpoint yet: it starts from its first step\n");
  }
  write_toml(folder.config(), config);
  const NetworkConfig network = model.network->config();
  fmt::print("network {}: {:.1f} k multiplications a pixel; {} layers, {} channels\n", network_kind_name(network.kind),
             network_multiplications(network) / 1000, model.layers, config.raster.channels);

  ImageCache photos(image_sources(scene), cache_bytes);
  if (!checkpoint) {
    if (config.first_light)
      if (const std::string found = find_first_light(model, photos); !found.empty()) fmt::print("{}\n", found);
    color_environment(model, photos);
  }
  FitControls controls;
  controls.seconds_before = cloud.seconds;
  controls.check_every = options.check_every;
  controls.checkpoint_seconds = options.checkpoint_seconds;
  controls.stop_requested = interrupted;
  controls.warn = [](const std::string& text) { fmt::print(stderr, "\nwarning: {}\n", text); };
  catch_interrupts();
  FitOutcome outcome;
  {
    ProgressLine line;
    outcome = run_fit(model, photos, folder, checkpoint.get(), controls,
                      [&](const FitProgress& progress) { line.show(progress); });
  }
  if (!outcome.finished) {
    fmt::print("stopped after {} steps and saved; go on with: pointillist fit {} --out {} --resume\n", outcome.steps,
               options.scene, options.run);
    return;
  }
  fmt::print("{} steps in {:.0f} s{}\n", outcome.steps, outcome.seconds,
             outcome.ended_by_clock ? " (the time was up before the estimated budget of steps)" : "");
  report_held(model, outcome.structure);
  if (options.report) draw_cloud(folder, "fitted", model_cloud(model), box);
  if (!split.held_out.empty()) {
    const EvalResult result = evaluate_and_report(model, photos, folder, outcome, options.report);
    fmt::print("held-out PSNR: {:.2f} dB  SSIM: {:.3f}\n", result.mean.psnr_db, result.mean.ssim);
    if (options.report) fmt::print("report: {}\n", folder.report().string());
  }
  fmt::print("model: {}\n", folder.model().string());
}

}  // namespace

void add_fit_command(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("fit", "fit a model to a scene");
  command->add_option("SCENE", options->scene, "folder with a COLMAP model and its photos")->required();
  command->add_option("--out", options->run, "folder of the run")->required();
  command->add_option("--preset", options->preset, "quick (5 minutes on two cores), standard, paper");
  command->add_option("--minutes", options->minutes, "length of the fit; a budget of steps is estimated from it, once more when three quarters are done");
  command->add_option("--steps", options->steps, "length of the fit in steps");
  command->add_option("--network", options->network, "unet or light");
  command->add_option("--network-init", options->network_init, "builtin: weights that come with the program (the default where they fit); random; or a file of weights that pretrain made");
  command->add_option("--device", options->device, "cpu or cuda");
  command->add_option("--config", options->config_file, "TOML file with settings");
  command->add_option("--set", options->settings, "group.key=value, any setting (see config.toml of a run)");
  command->add_option("--seed", options->seed, "of all randomness");
  command->add_flag("--resume", options->resume, "go on with the run in --out");
  command->add_option("--points", options->points, "PLY file with the cloud");
  command->add_option("--edits", options->edits, "JSON file of points to leave out: boxes and brush strokes");
  command->add_flag_callback("--densify", [options] { options->densify = "on"; },
                             "make dense points from the training photos first (by default where the cloud is too sparse)");
  command->add_flag_callback("--no-densify", [options] { options->densify = "off"; }, "fit the points as they are");
  command->add_option("--grow", options->grow, "on: points come where several photos stay wrong, and harmful ones go; off; auto: only where the "
                      "points are too sparse for the photos")
      ->check(CLI::IsMember({"on", "off", "auto"}));
  std::vector<std::string> groups;
  for (const GroupConfig* group : GroupSettings().all()) groups.push_back(group->name);
  command->add_option("--fit", options->fitted, "groups that are fitted beside the usual ones: points, poses, intrinsics, distortion, rolling_shutter, motion_blur; of HDR photos also exposure, white_balance")
      ->delimiter(',')
      ->check(CLI::IsMember(groups));
  command->add_option("--freeze", options->frozen, "groups that keep their initial values: poses, network, ...")
      ->delimiter(',')
      ->check(CLI::IsMember(groups));
  command->add_option("--structure-gradient", options->structure_gradient,
                      "paper: section 8 with plain steps of poses; override: neighbours as in ADOP's shipped configurations; "
                      "drawn: drawn points instead of ghosts")
      ->check(CLI::IsMember({"paper", "override", "drawn"}));
  add_reading_options(*command, *options);
  command->add_option("--image-cache", options->image_cache_mib, "MiB of decoded photos that are kept");
  command->add_option("--memory-limit", options->memory_limit_mib,
                      "MiB that the fit may need: the image cache shrinks, and a fit that cannot do with so little is refused")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--check-every", options->check_every, "steps between held-out checks (0: a tenth of the fit)");
  command->add_option("--checkpoint-seconds", options->checkpoint_seconds, "time between checkpoints");
  command->add_flag("--report,!--no-report", options->report, "write report.html at the end");
  command->callback([options] { run(*options); });
}

}  // namespace ptl
