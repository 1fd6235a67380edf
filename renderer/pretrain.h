// One network learns on many scenes, each with its own points and tone mapper. In rounds: some scenes are made, looked at
// in turn, and thrown away. A round begins from the network and the number of the round alone, so that a run that was
// killed goes on from its last round to the same bits.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "renderer/config.h"
#include "renderer/network_weights.h"

namespace ptl {

struct PretrainConfig {
  NetworkKind network = NetworkKind::light;
  int layers = 4;
  int64_t rounds = 40;
  int scenes_per_round = 6;        ///< made from seeds; the user's come on top, one a round, in turn
  int64_t steps_per_scene = 100;
  int64_t first_seed = 1000;       ///< round r sees first_seed + r · scenes_per_round + 0, 1, …
  std::vector<int64_t> validation_seeds = {1, 2, 3};
  int64_t validate_every = 5;      ///< rounds
  int crop_px = 192;               ///< side of what one step looks at
  double learning_rate = 2e-3;     ///< of the network, before its schedule
  std::vector<std::string> scenes; ///< folders

  template <class V>
  void visit(V&& v) {
    v("network", network, "", "unet or light");
    v("layers", layers, "", "of the pyramid");
    v("rounds", rounds, "", "how often new scenes are made");
    v("scenes_per_round", scenes_per_round, "", "scenes made for a round");
    v("steps_per_scene", steps_per_scene, "steps", "looks at each of them");
    v("first_seed", first_seed, "", "of the scenes that are made");
    v("validate_every", validate_every, "rounds", "between validations");
    v("crop_px", crop_px, "px", "side of what one step looks at");
    v("learning_rate", learning_rate, "1", "of the network, before its schedule");
  }
  /// InputError that names the key and its range, or a seed that would be both trained and validated on.
  void check() const;
  int64_t steps() const;
};

/// What all scenes of a run are fitted with: descriptors begin with the points' colours and zeros, coverage is a channel,
/// small crops.
FitConfig pretrain_fit_config(const PretrainConfig& config);

/// A validation scene, with no fit at all.
struct ValidationScore {
  std::string scene;
  double psnr_db = 0, ssim = 0;
};

struct PretrainProgress {
  int64_t round = 0, step = 0, steps = 0;
  double loss = 0;       ///< mean of the round so far
  double seconds = 0;
  std::string doing;     ///< "seed 1003: …"
};

struct PretrainControls {
  torch::Device device = torch::kCPU;
  bool resume = false;
  int scene_threads = 0;                 ///< make scenes ahead, each on one core; 0: each is made when its round begins, by all cores
  std::filesystem::path kept_scenes;     ///< folder: scenes that are made stay there, and are taken from there; empty: thrown away
  std::function<bool()> stop_requested;  ///< asked between steps; true: the round is given up, what was before it is kept
  std::function<void(const PretrainProgress&)> progress;
  std::function<void(int64_t round, const std::vector<ValidationScore>&)> validated;
};

/// Folder: config.toml, checkpoint.safetensors after each round, metrics.jsonl ({"step": round, "scene", "loss"}, {"check": round,
/// "scene", "psnr", "ssim"}, and {"plain": 0, …} of the points drawn plainly), and in the end network.safetensors. Returns whether it came to the end.
/// InputError: the folder holds another run, or one without `resume`.
bool pretrain(const PretrainConfig& config, const std::filesystem::path& folder, const PretrainControls& controls);

}  // namespace ptl
