// Where the time of a fit's step goes: the share of each stage, forward and backward, over real steps on a scene.
// Listens to the named scopes of renderer/pipeline.cpp and renderer/fit.cpp and to autograd's backward nodes. Prints
// JSON. Usage: step_bench SCENE [steps = 60] [network = light|unet] [threads = 2] [device = cpu|cuda] Then the same
// steps with points, poses, intrinsics and distortion fitted too, in turn with steps without, and the ratios. On a GPU
// each scope waits for the work that it launched, so that shares are right and the whole is somewhat slower; the step's
// time is measured without.
#include <ATen/record_function.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "datasets/error.h"
#include "datasets/prepare.h"
#include "datasets/scene_loader.h"
#include "renderer/config_io.h"
#include "renderer/device_setup.h"
#include "renderer/fit.h"

namespace {

bool wait_for_gpu = false;

double now_ms() {
  if (wait_for_gpu) torch::cuda::synchronize();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Time of each scope without the scopes within it. Kernels fork below the calling thread; on a GPU autograd runs nodes
/// on a thread of its own, whose time counts as within what the calling thread has open meanwhile.
struct Profile {
  struct Open {
    double start_ms, inner_ms;
  };
  std::mutex mutex;
  std::thread::id caller = std::this_thread::get_id();
  std::map<std::thread::id, std::vector<Open>> open;
  std::map<std::string, double> own_ms;
};
Profile profile;

/// A backward node belongs to the stage whose operator it is.
std::string stage_of(const std::string& name, bool backward) {
  if (!backward) return name;
  for (const auto& [part, stage] :
       {std::pair{"Rasterize", "rasterise, backward"}, std::pair{"StructureGradient", "structure, backward"},
        std::pair{"FillBackground", "background, backward"}, std::pair{"Tone", "tone, backward"},
        std::pair{"Loss", "loss, backward"}})
    if (name.find(part) != std::string::npos) return stage;
  return "network, backward";
}

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction&) {
  const double start_ms = now_ms();
  const std::lock_guard lock(profile.mutex);
  profile.open[std::this_thread::get_id()].push_back({start_ms, 0});
  return nullptr;
}

void end(const at::RecordFunction& function, at::ObserverContext*) {
  const double end_ms = now_ms();
  const std::lock_guard lock(profile.mutex);
  std::vector<Profile::Open>& here = profile.open[std::this_thread::get_id()];
  const Profile::Open scope = here.back();
  here.pop_back();
  const double whole_ms = end_ms - scope.start_ms;
  const bool backward = function.scope() == at::RecordScope::BACKWARD_FUNCTION;
  profile.own_ms[stage_of(function.name(), backward)] += whole_ms - scope.inner_ms;
  std::vector<Profile::Open>& around = here.empty() ? profile.open[profile.caller] : here;
  if (!around.empty()) around.back().inner_ms += whole_ms;
}

/// A fit in memory that is past the locks of a long one: all groups are free, as in most of a fit.
struct Steps {
  Steps(const ptl::Scene& scene, const ptl::Split& split, const ptl::PreparedPoints& points,
        const ptl::FitConfig& config, int layers, torch::Device device, ptl::ImageCache& photos, int64_t steps)
      : model(ptl::make_scene_model(scene, split, points, config, layers, device)),
        fitter(model, photos, 10 * steps),
        next(static_cast<int64_t>(config.photometric_lock * static_cast<double>(10 * steps)) + 1) {
    operator()(5);
  }

  /// Milliseconds a step.
  double operator()(int64_t steps) {
    const double start_ms = now_ms();
    for (int64_t i = 0; i < steps; ++i) fitter.step(next++);
    return (now_ms() - start_ms) / static_cast<double>(steps);
  }

  ptl::SceneModel model;
  ptl::Fitter fitter;
  int64_t next;
};

/// Scopes by name, in milliseconds a step, and the whole step's.
struct Measured {
  std::map<std::string, double> stage_ms;
  double step_ms = 0;

  double backward_ms() const {
    double sum = 0;
    for (const auto& [stage, ms] : stage_ms)
      if (stage == "autograd" || stage.ends_with(", backward")) sum += ms;
    return sum;
  }
};

void measure(Steps& run, int64_t steps, Measured& result, double share_of_all) {
  profile.own_ms.clear();
  const auto handle = at::addGlobalCallback(
      at::RecordFunctionCallback(begin, end).scopes({at::RecordScope::USER_SCOPE, at::RecordScope::BACKWARD_FUNCTION}));
  result.step_ms += share_of_all * run(steps);
  at::removeCallback(handle);
  // What the scope of the step itself keeps: drawing crops, clearing gradients. And autograd's own between the nodes.
  for (const auto& [scope, name] : {std::pair{"step", "rest"}, std::pair{"backward", "autograd"}}) {
    profile.own_ms[name] = profile.own_ms[scope];
    profile.own_ms.erase(scope);
  }
  for (const auto& [stage, ms] : profile.own_ms)
    result.stage_ms[stage] += share_of_all * ms / static_cast<double>(steps);
}

void print_shares(const char* name, const Measured& measured) {
  fmt::print(" \"{}\": {{", name);
  bool comma = false;
  for (const auto& [stage, ms] : measured.stage_ms) {
    fmt::print("{}\n  \"{}\": {:.4f}", comma ? "," : "", stage, ms / measured.step_ms);
    comma = true;
  }
  fmt::print("\n }}");
}

void run(const std::string& folder, int64_t steps, const std::string& network, int threads, const std::string& device) {
  using namespace ptl;
  set_threads(threads);
  const torch::Device used = open_device(device);
  FitConfig config = preset_config("quick");
  apply_setting("network.kind=" + network, config);
  FitConfig with_structure = config;
  for (const char* group : {"points", "poses", "intrinsics", "distortion"})
    apply_setting(std::string("groups.") + group + ".frozen=false", with_structure);
  const Scene scene = load_scene(folder);
  const Split split = make_split(scene, config.scene.split);
  const PreparedPoints points = prepare_points(scene, {});
  const int layers = choose_layers(scene, points, split.train, config.crop.size_px).layers;
  ImageCache photos(image_sources(scene), 2ull << 30);
  Steps plain(scene, split, points, config, layers, used, photos, 2 * steps);
  Steps structure(scene, split, points, with_structure, layers, used, photos, 2 * steps);
  const double free_ms = used.is_cuda() ? plain(steps) : 0;
  wait_for_gpu = used.is_cuda();
  // In turn, so that whatever else the machine does slows both.
  constexpr int turns = 4;
  Measured without, with;
  for (int turn = 0; turn < turns; ++turn) {
    measure(plain, (steps + turns - 1) / turns, without, 1.0 / turns);
    measure(structure, (steps + turns - 1) / turns, with, 1.0 / turns);
  }
  fmt::print(
      "{{\"scene\": \"{}\", \"network\": \"{}\", \"points\": {}, \"layers\": {}, \"crop_px\": {}, \"threads\": {}, "
      "\"device\": \"{}\", \"steps\": {}, \"step_ms\": {:.2f},\n",
      plain.model.scene_name, network, points.size(), layers, config.crop.size_px, threads, device, steps,
      used.is_cuda() ? free_ms : without.step_ms);
  print_shares("share", without);
  fmt::print(",\n");
  print_shares("share_with_structure", with);
  fmt::print(",\n \"with_structure\": {{\"step\": {:.3f}, \"backward\": {:.3f}}}}}\n", with.step_ms / without.step_ms,
             with.backward_ms() / without.backward_ms());
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    fmt::print(stderr, "usage: step_bench SCENE [steps] [light|unet] [threads] [cpu|cuda]\n");
    return 2;
  }
  try {
    run(arguments[1], count > 2 ? std::atoi(arguments[2]) : 60, count > 3 ? arguments[3] : "light",
        count > 4 ? std::atoi(arguments[4]) : 2, count > 5 ? arguments[5] : "cpu");
  } catch (const ptl::InputError& error) {
    fmt::print(stderr, "step_bench: {}\n", error.what());
    return 1;
  }
}
