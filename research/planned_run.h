// The fits of a plan in their order, each with the folder that it has and the commands that make it.
#pragma once

#include <string>
#include <vector>

#include "research/plan.h"

namespace ptl::research {

struct PlannedRun {
  int number = 0;                             ///< from 1, in the plan's order: `bench --only`
  size_t scene = 0, variant = 0, budget = 0;  ///< indices into the plan
  uint64_t seed = 0;
};

/// All of them: seeds outermost, then scenes, budgets and variants, so that what is compared is made close together.
std::vector<PlannedRun> planned_runs(const Plan& plan);

/// What the fits of a scene are given.
struct SceneFiles {
  std::filesystem::path folder;  ///< the user's, or the one that the bench makes
  std::filesystem::path points;  ///< dense points that the bench makes; empty: none
};

/// Where the bench keeps what.
class BenchFolder {
 public:
  explicit BenchFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  const std::filesystem::path& path() const { return folder_; }
  std::filesystem::path run(const Plan& plan, const PlannedRun& run) const;  ///< runs/SCENE/VARIANT/BUDGET_seedN
  std::filesystem::path synthetic_scene(const PlanScene& scene) const;       ///< scenes/NAME
  std::filesystem::path dense_points(const PlanScene& scene) const;          ///< scenes/NAME.dense.ply
  /// What the fits of a scene are given.
  SceneFiles files(const PlanScene& scene) const;

 private:
  std::filesystem::path folder_;
};

/// "fox · built in · 5 min · seed 0"
std::string run_title(const Plan& plan, const PlannedRun& run);

/// Words for the program, without its path.
std::vector<std::string> synth_arguments(const PlanScene& scene, const std::filesystem::path& out);
std::vector<std::string> densify_arguments(const PlanScene& scene, const std::filesystem::path& scene_folder,
                                           const std::filesystem::path& out);
std::vector<std::string> fit_arguments(const Plan& plan, const PlannedRun& run, const SceneFiles& files,
                                       const std::filesystem::path& out);
std::vector<std::string> eval_arguments(const PlanProtocol& protocol, const std::filesystem::path& fit_folder);

}  // namespace ptl::research
