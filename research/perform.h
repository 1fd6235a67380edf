// One planned run, from wherever an earlier start left it to its outcome: makes the scene, fits, scores.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "research/claim.h"
#include "research/outcome.h"
#include "research/planned_run.h"

namespace ptl::research {

struct PerformOptions {
  std::string program;                                        ///< path of pointillist
  std::vector<std::string> shared;                            ///< words for each command: --threads 1, …
  std::vector<std::pair<std::string, std::string>> versions;  ///< of the program
  std::function<bool()> interrupted;                          ///< asked often; true: stop and leave the rest for later
};

/// Something is at the path; also false where that cannot be told.
bool is_there(const std::filesystem::path& path);

/// Files of a run's folder.
struct RunFiles {
  std::filesystem::path folder;
  std::filesystem::path claim() const { return folder / "claim"; }
  std::filesystem::path fit() const { return folder / "fit"; }
  std::filesystem::path pictures() const {
    return folder / "pictures";
  }  ///< of held-out photos, as `eval --pictures` writes them
  std::filesystem::path log() const { return folder / "log.txt"; }
  std::filesystem::path progress() const { return folder / "progress.json"; }
  std::filesystem::path outcome() const { return folder / "outcome.json"; }
};

/// What decides a run's figures, to tell whether an outcome is that of the plan as it is now: the words of its commands
/// without folders.
std::vector<std::string> deciding_words(const Plan& plan, const PlannedRun& run);

/// Fingerprints of the scene ("scene"), of its dense points, and of files that the options name.
std::map<std::string, std::string> data_of(const Plan& plan, const PlannedRun& run, const SceneFiles& files);

/// Makes the synthetic scene and the dense points where they are not there; another process that makes them is waited
/// for. Throws InputError when a command fails, or when what is there was made by other options than the plan's. False:
/// interrupted.
bool make_scene_files(const PlanScene& scene, const BenchFolder& bench, const PerformOptions& options,
                      const Claim::Options& claims);

enum class RunEnd {
  finished,     ///< there is an outcome: done or failed
  interrupted,  ///< it can go on
  lost          ///< another process took it over, because this one was silent for too long
};

/// The caller holds `claim`. Throws InputError for what is wrong with the bench's folder; what goes wrong in a command
/// is an outcome.
RunEnd perform(const Plan& plan, const PlannedRun& run, const BenchFolder& bench, const PerformOptions& options,
               Claim& claim);

}  // namespace ptl::research
