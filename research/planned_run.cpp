#include "research/planned_run.h"

#include <fmt/format.h>

namespace ptl::research {
namespace fs = std::filesystem;

std::vector<PlannedRun> planned_runs(const Plan& plan) {
  std::vector<PlannedRun> runs;
  for (const uint64_t seed : plan.seeds)
    for (size_t scene = 0; scene < plan.scenes.size(); ++scene)
      for (size_t budget = 0; budget < plan.budgets.size(); ++budget)
        for (size_t variant = 0; variant < plan.variants.size(); ++variant)
          runs.push_back({static_cast<int>(runs.size()) + 1, scene, variant, budget, seed});
  return runs;
}

fs::path BenchFolder::run(const Plan& plan, const PlannedRun& run) const {
  return folder_ / "runs" / folder_name(plan.scenes[run.scene].name) / folder_name(plan.variants[run.variant].name) /
         fmt::format("{}_seed{}", folder_name(plan.budgets[run.budget].name()), run.seed);
}

fs::path BenchFolder::synthetic_scene(const PlanScene& scene) const {
  return folder_ / "scenes" / folder_name(scene.name);
}

fs::path BenchFolder::dense_points(const PlanScene& scene) const {
  return folder_ / "scenes" / (folder_name(scene.name) + ".dense.ply");
}

SceneFiles BenchFolder::files(const PlanScene& scene) const {
  return {scene.synth_seed ? synthetic_scene(scene) : scene.folder, scene.dense ? dense_points(scene) : fs::path()};
}

std::string run_title(const Plan& plan, const PlannedRun& run) {
  return fmt::format("{} · {} · {} · seed {}", plan.scenes[run.scene].name, plan.variants[run.variant].name,
                     plan.budgets[run.budget].name(), run.seed);
}

std::vector<std::string> synth_arguments(const PlanScene& scene, const fs::path& out) {
  std::vector<std::string> words = {"synth", "--out", out.string(), "--seed",
                                    std::to_string(scene.synth_seed.value_or(0))};
  words.insert(words.end(), scene.synth_options.begin(), scene.synth_options.end());
  return words;
}

std::vector<std::string> densify_arguments(const PlanScene& scene, const fs::path& scene_folder, const fs::path& out) {
  std::vector<std::string> words = {"densify", scene_folder.string(), "--out", out.string()};
  // How a folder is read is the same for both.
  for (size_t i = 0; i + 1 < scene.options.size(); ++i)
    for (const char* shared : {"--format", "--images", "--masks", "--split", "--edits"})
      if (scene.options[i] == shared) words.insert(words.end(), {scene.options[i], scene.options[i + 1]});
  words.insert(words.end(), scene.dense_options.begin(), scene.dense_options.end());
  return words;
}

std::vector<std::string> fit_arguments(const Plan& plan, const PlannedRun& run, const SceneFiles& files,
                                       const fs::path& out) {
  std::vector<std::string> words = {"fit",    files.folder.string(),   "--out", out.string(), "--no-report",
                                    "--seed", std::to_string(run.seed)};
  if (!files.points.empty()) words.insert(words.end(), {"--points", files.points.string(), "--no-densify"});
  for (const std::vector<std::string>& more :
       {plan.budgets[run.budget].options(), plan.scenes[run.scene].options, plan.variants[run.variant].options})
    words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::vector<std::string> eval_arguments(const PlanProtocol& protocol, const fs::path& fit_folder) {
  std::vector<std::string> words = {"eval", fit_folder.string(), "--json"};
  const std::vector<std::string> more = protocol.options();
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace ptl::research
