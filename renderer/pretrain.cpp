#include "renderer/pretrain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "datasets/error.h"
#include "renderer/check_range.h"
#include "renderer/clock.h"
#include "renderer/config_io.h"
#include "renderer/evaluate.h"
#include "renderer/fitter.h"
#include "renderer/pretrain_scenes.h"
#include "renderer/run_folder.h"
#include "renderer/scene_makers.h"

namespace ptl {
namespace fs = std::filesystem;

namespace {

constexpr const char* checkpoint_format = "pointillist pretraining";

/// A folder that goes when its owner does.
class WorkFolder {
 public:
  explicit WorkFolder(fs::path path) : path_(std::move(path)) {}
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// A scene and what fits it.
struct Pupil {
  PretrainScene scene;
  std::unique_ptr<Fitter> fitter;
};

class Pretraining {
 public:
  Pretraining(const PretrainConfig& config, const fs::path& folder, const PretrainControls& controls)
      : config_(config), controls_(controls), run_{folder}, fit_(pretrain_fit_config(config)),
        network_(std::make_shared<NeuralRenderer>(network_config(fit_, config.layers), static_cast<uint64_t>(config.first_seed), controls.device)) {
    GroupConfig group = fit_.groups.network;
    group.learning_rate = config.learning_rate;
    optimizer_.add(group, network_->named_parameters());
  }

  bool run() {
    if (controls_.resume) load();
    MetricsLog metrics(run_.metrics(), round_ == 0 ? -1 : round_);  // validation before the first round comes again
    WorkFolder work(run_.folder / "work");
    SceneMakers makers(orders(work.path()), controls_.scene_threads,
                       static_cast<size_t>(config_.scenes_per_round + controls_.scene_threads));
    makers_ = &makers;
    for (size_t i = 0; i < config_.validation_seeds.size(); ++i) validation_.push_back(take());
    if (round_ == 0) {
      for (PretrainScene& scene : validation_) {
        const ValidationScore plain = score(scene, true);
        metrics.write({{"plain", 0}, {"scene", scene.name}, {"psnr", plain.psnr_db}, {"ssim", plain.ssim}});
      }
      validate(metrics);
    }
    while (round_ < config_.rounds) {
      if (!round(metrics)) return false;
      ++round_;
      save();
      if (round_ % config_.validate_every == 0 || round_ == config_.rounds) validate(metrics);
    }
    if (scores_.empty()) validate(metrics);  // it was done already
    write_network_weights(run_.folder / "network.safetensors", network_weights(*network_, origin()));
    return true;
  }

 private:
  /// All scenes from here on, in the order in which they are needed.
  std::vector<SceneMakers::Order> orders(const fs::path& work) {
    const fs::path& folder = controls_.kept_scenes.empty() ? work : controls_.kept_scenes;
    const auto add = [&](int64_t seed) {
      orders_.push_back({draw_pretrain_scene(static_cast<uint64_t>(seed)), folder / fmt::format("seed_{}", seed)});
    };
    for (const int64_t seed : config_.validation_seeds) {
      add(seed);
      orders_.back().draw.fitted = false;
    }
    for (int64_t i = round_ * config_.scenes_per_round; i < config_.rounds * config_.scenes_per_round; ++i)
      add(config_.first_seed + i);
    return orders_;
  }

  /// The next of them.
  PretrainScene take() {
    const SceneMakers::Order& order = orders_[taken_];
    makers_->wait_for(taken_++);
    PretrainScene scene = make_pretrain_scene(order.draw, fit_, config_.layers, order.folder, controls_.device);
    scene.model.network = network_;
    return scene;
  }

  void throw_away(size_t first, size_t last) const {
    std::error_code ignored;
    if (controls_.kept_scenes.empty())
      for (size_t i = first; i < last; ++i) fs::remove_all(orders_[i].folder, ignored);
  }

  /// False: stopped.
  bool round(MetricsLog& metrics) {
    std::vector<Pupil> pupils;
    const size_t first = taken_;
    for (int k = 0; k < config_.scenes_per_round; ++k) {
      report(describe(orders_[taken_].draw), 0);
      if (stopped()) return false;
      pupils.push_back({take(), nullptr});
    }
    if (!config_.scenes.empty()) {
      const std::string& name = config_.scenes[static_cast<size_t>(round_) % config_.scenes.size()];
      pupils.push_back({open_pretrain_scene(name, fit_, config_.layers, controls_.device), nullptr});
      pupils.back().scene.model.network = network_;
    }
    for (Pupil& pupil : pupils)
      pupil.fitter = std::make_unique<Fitter>(pupil.scene.model, *pupil.scene.photos, config_.steps_per_scene, NetworkOwner::caller);
    std::vector<double> loss(pupils.size(), 0);
    double sum = 0;
    const Schedule schedule(fit_.schedule, config_.steps());
    for (int64_t look = 0; look < config_.steps_per_scene; ++look)
      for (size_t p = 0; p < pupils.size(); ++p) {
        if (stopped()) return false;
        optimizer_.zero_grad();
        const FitStep step = pupils[p].fitter->step(look);
        const std::string& name = pupils[p].scene.name;
        if (!step.problem.empty()) throw InputError("{}: {}", name, step.problem);
        const std::string bad =
            optimizer_.step(step_, {{"network", schedule.factor("network", std::min(step_, config_.steps() - 1))}});
        if (!bad.empty()) throw InputError("{}: the gradient of {} is not finite", name, bad);
        ++step_;
        loss[p] += step.loss / static_cast<double>(config_.steps_per_scene);
        sum += step.loss;
        report(name, sum / static_cast<double>(look * static_cast<int64_t>(pupils.size()) + static_cast<int64_t>(p) + 1));
      }
    for (size_t p = 0; p < pupils.size(); ++p)
      metrics.write({{"step", round_ + 1}, {"scene", pupils[p].scene.name}, {"loss", loss[p]}, {"seconds", seconds()}});
    throw_away(first, taken_);
    return true;
  }

  void validate(MetricsLog& metrics) {
    scores_.clear();
    for (PretrainScene& scene : validation_) {
      scores_.push_back(score(scene, false));
      metrics.write({{"check", round_}, {"scene", scene.name}, {"psnr", scores_.back().psnr_db}, {"ssim", scores_.back().ssim}});
    }
    if (controls_.validated) controls_.validated(round_, scores_);
  }

  /// With no fit at all; `plain`: of the points drawn plainly, to compare with.
  static ValidationScore score(PretrainScene& scene, bool plain) {
    EvaluateOptions options;
    options.plain = plain;
    const EvalScore mean = evaluate(scene.model, *scene.photos, options).mean;
    return {scene.name, mean.psnr_db, mean.ssim};
  }

  void save() const {
    NamedTensors tensors;
    for (const auto& [name, tensor] : network_->named_parameters()) tensors.emplace_back("network/" + name, tensor.detach());
    optimizer_.save(tensors);
    write_safetensors(run_.checkpoint(), tensors,
                      {{"format", checkpoint_format},
                       {"scenes", scene_list()},
                       {"rounds_done", std::to_string(round_)},
                       {"steps_done", std::to_string(step_)},
                       {"seconds", fmt::format("{:.1f}", seconds())}});
  }

  void load() {
    if (!fs::exists(run_.checkpoint())) return;  // killed in its first round
    const SafetensorsFile file(run_.checkpoint());
    if (file.metadata_value("format") != checkpoint_format)
      throw InputError("{}: not a checkpoint of a pretraining", run_.checkpoint().string());
    if (file.metadata_value("scenes") != scene_list())
      throw InputError("--resume: the run was started with --scene '{}', found '{}'; name the same ones",
                       file.metadata_value("scenes"), scene_list());
    const torch::NoGradGuard no_gradient;
    for (const auto& [name, tensor] : network_->named_parameters())
      tensor.detach().copy_(file.read("network/" + name, tensor.scalar_type(), tensor.sizes().vec()));
    optimizer_.load(file);
    round_ = static_cast<int64_t>(number(file, "rounds_done"));
    step_ = static_cast<int64_t>(number(file, "steps_done"));
    seconds_before_ = number(file, "seconds");
  }

  std::string scene_list() const { return fmt::format("{}", fmt::join(config_.scenes, ", ")); }

  static double number(const SafetensorsFile& file, const std::string& key) {
    const std::string& text = file.metadata_value(key);
    double value = -1;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end.ec != std::errc() || !(value >= 0 && value < 1e15))
      throw InputError("{}: metadata '{}' is '{}', expected a number", file.path().string(), key, text);
    return value;
  }

  std::map<std::string, std::string> origin() const {
    const int64_t last = config_.first_seed + config_.rounds * config_.scenes_per_round - 1;
    return {{"made_by", "pointillist pretrain"},
            {"settings", to_toml(config_)},
            {"seeds", fmt::format("{} to {}", config_.first_seed, last)},
            {"steps", std::to_string(step_)},
            {"minutes", fmt::format("{:.0f}", seconds() / 60)},
            {"validation", validation_text()}};
  }

  /// "seed 1 18.20 dB 0.448; …"
  std::string validation_text() const {
    std::string text;
    for (const ValidationScore& score : scores_)
      text += fmt::format("{}{} {:.2f} dB {:.3f}", text.empty() ? "" : "; ", score.scene, score.psnr_db, score.ssim);
    return text;
  }

  bool stopped() const { return controls_.stop_requested && controls_.stop_requested(); }
  double seconds() const { return seconds_before_ + now_seconds() - started_; }
  void report(const std::string& doing, double loss) const {
    if (controls_.progress) controls_.progress({round_ + 1, step_, config_.steps(), loss, seconds(), doing});
  }

  const PretrainConfig& config_;
  const PretrainControls& controls_;
  RunFolder run_;
  FitConfig fit_;
  std::shared_ptr<NeuralRenderer> network_;
  Optimizer optimizer_;
  std::vector<SceneMakers::Order> orders_;
  size_t taken_ = 0;                ///< of the orders
  SceneMakers* makers_ = nullptr;   ///< while the run goes on
  std::vector<PretrainScene> validation_;
  std::vector<ValidationScore> scores_;  ///< the newest
  int64_t round_ = 0, step_ = 0;  ///< done
  double started_ = now_seconds(), seconds_before_ = 0;
};

constexpr RangeCheck check_range{"pretraining"};

}  // namespace

int64_t PretrainConfig::steps() const {
  return rounds * steps_per_scene * (scenes_per_round + (scenes.empty() ? 0 : 1));
}

void PretrainConfig::check() const {
  check_range("layers", layers, 1, 10);
  check_range("rounds", rounds, int64_t{1}, int64_t{1} << 30);
  check_range("scenes_per_round", scenes_per_round, scenes.empty() ? 1 : 0, 1000);
  check_range("steps_per_scene", steps_per_scene, int64_t{1}, int64_t{1} << 30);
  check_range("first_seed", first_seed, int64_t{0}, int64_t{1} << 60);
  check_range("validate_every", validate_every, int64_t{1}, int64_t{1} << 30);
  check_range("crop_px", crop_px, 32, 4096);
  check_range("learning_rate", learning_rate, 0.0, 1.0);
  for (const int64_t seed : validation_seeds)
    if (seed >= first_seed && seed < first_seed + rounds * scenes_per_round)
      throw InputError("pretraining: seed {} is for validation and would be trained on; choose a first_seed beyond it", seed);
}

FitConfig pretrain_fit_config(const PretrainConfig& config) {
  FitConfig fit = preset_config("quick");
  fit.minutes = 0;
  fit.steps = config.steps_per_scene;
  NetworkConfig network;
  network.kind = config.network;
  network.levels = config.layers;
  network.in_channels = fit.raster.channels + 1;
  configure_for({network, {}, {}}, fit);
  fit.crop.size_px = config.crop_px;
  fit.crop.zoom_low = 0.7;  // the photos are small
  fit.crop.zoom_high = 1.5;
  fit.environment.height = 64;  // of several scenes at a time
  fit.environment.width = 128;
  fit.grow.enabled = false;
  fit.check();
  return fit;
}

bool pretrain(const PretrainConfig& config, const fs::path& folder, const PretrainControls& controls) {
  config.check();
  const RunFolder run{folder};
  const RunLock lock(run);
  const bool exists = fs::exists(run.config());
  if (exists && !controls.resume)
    throw InputError("{}: there is a run in this folder already; go on with --resume, or choose another with --out",
                     folder.string());
  if (!exists && controls.resume) throw InputError("{}: no run to resume in this folder", folder.string());
  if (exists) {
    PretrainConfig stored;
    read_toml(run.config(), stored);
    for (const ConfigDifference& difference : differences(stored, config))
      throw InputError("--resume: {} is {} in the run, {} now; start another run with --out for that", difference.key,
                       difference.first, difference.second);
  } else {
    write_toml(run.config(), config);
  }
  return Pretraining(config, folder, controls).run();
}

}  // namespace ptl
