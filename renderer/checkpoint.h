// A fit's whole state, so that one that is stopped at any moment goes on to the same bits.
#pragma once

#include <filesystem>
#include <string>

#include "renderer/optimizer.h"
#include "renderer/schedule.h"
#include "renderer/scene_model.h"

namespace ptl {

/// Beside model, optimiser and schedule.
struct FitState {
  int64_t step = 0;            ///< steps done
  int64_t step_budget = 0;     ///< steps in all; schedules follow it
  int64_t check_every = 0;     ///< steps between held-out checks
  double epoch_loss_sum = 0;   ///< of the samples of the epoch so far
  int64_t epoch_samples = 0;
  int64_t skipped_steps = 0;   ///< left out, since something was not finite
  double seconds = 0;          ///< fitting time so far; decides nothing but an early end
  std::string scene_fingerprint;
};

/// Atomic.
void write_checkpoint(const std::filesystem::path& path, const SceneModel& model, const Optimizer& optimizer,
                      const Schedule& schedule, const FitState& state);

/// The model of a checkpoint and the state; optimiser and schedule are loaded afterwards, once they are built on it.
struct Checkpoint {
  explicit Checkpoint(const std::filesystem::path& path);
  SafetensorsFile file;
  FitState state;
  nlohmann::json schedule;
};

/// Hash of what a fit takes from its scene: names, cameras, poses, exposures, split, points.
std::string scene_fingerprint(const SceneModel& model);

}  // namespace ptl
