// pointillist pretrain: one network over many scenes, for fits to begin with.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/interrupts.h"
#include "cli/scene_options.h"
#include "renderer/device_setup.h"
#include "renderer/pretrain.h"

namespace ptl {

namespace {

struct Options {
  PretrainConfig config;
  std::string out, network = "light", device = "cpu", kept_scenes;
  int scene_threads = 0;
  bool resume = false;
};

/// One line on a terminal, overwritten; a line every ten seconds elsewhere.
void show(const PretrainProgress& progress, double& next_s) {
  const bool terminal = ::isatty(2) != 0;
  if (progress.seconds < next_s) return;
  next_s = progress.seconds + (terminal ? 0.5 : 10);
  const double left = progress.step > 0 ? progress.seconds / static_cast<double>(progress.step) *
                                              static_cast<double>(progress.steps - progress.step) : 0;
  fmt::print(stderr, "{}round {}  step {}/{}  loss {:.4f}  {:.0f} min left  {:.70}{}", terminal ? "\r\033[K" : "", progress.round,
             progress.step, progress.steps, progress.loss, left / 60, progress.doing, terminal ? "" : "\n");
}

void run(Options& options) {
  keep_freed_memory();
  options.config.network = parse_word<NetworkKind>("--network", options.network);
  PretrainControls controls;
  controls.device = open_device(options.device);
  controls.resume = options.resume;
  controls.kept_scenes = options.kept_scenes;
  controls.scene_threads = options.scene_threads;
  catch_interrupts();
  controls.stop_requested = interrupted;
  double next_s = 0;
  controls.progress = [&](const PretrainProgress& progress) { show(progress, next_s); };
  controls.validated = [](int64_t round, const std::vector<ValidationScore>& scores) {
    std::string line;
    for (const ValidationScore& score : scores)
      line += fmt::format("  {} {:.2f} dB / {:.3f}", score.scene, score.psnr_db, score.ssim);
    fmt::print("after {} rounds, with no fit:{}\n", round, line);
    std::fflush(stdout);
  };
  if (pretrain(options.config, options.out, controls))
    fmt::print("weights: {}/network.safetensors\n", options.out);
  else
    fmt::print("stopped; finished rounds are kept: the same command with --resume goes on\n");
}

}  // namespace

void add_pretrain_command(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  PretrainConfig& config = options->config;
  CLI::App* command = app.add_subcommand("pretrain", "teach one network on many scenes, for fits to begin with");
  command->add_option("--out", options->out, "folder of the run; network.safetensors in it is the result")->required();
  command->add_option("--network", options->network, "light or unet")->capture_default_str();
  command->add_option("--layers", config.layers, "layers of the pyramid")->capture_default_str();
  command->add_option("--rounds", config.rounds, "how often new scenes are made")->capture_default_str();
  command->add_option("--scenes-per-round", config.scenes_per_round, "scenes made for a round")->capture_default_str();
  command->add_option("--steps-per-scene", config.steps_per_scene, "looks at each of them")->capture_default_str();
  command->add_option("--first-seed", config.first_seed, "of the scenes that are made")->capture_default_str();
  command->add_option("--validate-every", config.validate_every, "rounds between validations")->capture_default_str();
  command->add_option("--crop", config.crop_px, "pixels: side of what one step looks at")->capture_default_str();
  command->add_option("--learning-rate", config.learning_rate, "of the network")->capture_default_str();
  command->add_option("--scene", config.scenes, "folders of scenes of your own, one a round in turn");
  command->add_option("--keep-scenes", options->kept_scenes, "folder for the scenes that are made: another run takes them from there");
  command->add_option("--scene-threads", options->scene_threads, "threads that make scenes ahead, beside the network (for a GPU); 0: none")
      ->check(CLI::Range(0, 256))->capture_default_str();
  command->add_option("--device", options->device, "cpu or cuda");
  command->add_flag("--resume", options->resume, "go on with the run in --out");
  command->callback([options] { run(*options); });
}

}  // namespace ptl
