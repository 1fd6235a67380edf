// Fitting a scene (method section 9): the loop over steps, its checks, checkpoints and metrics.
#pragma once

#include <functional>
#include <memory>

#include "renderer/checkpoint.h"
#include "renderer/fitter.h"
#include "renderer/run_folder.h"

namespace ptl {

/// What may differ between two fits without any difference in their result.
struct FitControls {
  uint64_t image_cache_bytes = 2ull << 30;
  double seconds_before = 0;        ///< of making the points: part of the fit's minutes
  int64_t check_every = 0;          ///< steps between held-out checks; 0: a tenth of the budget
  int check_images = 3;             ///< held-out images of a check, spread over all of them
  double checkpoint_seconds = 60;
  std::function<bool()> stop_requested;  ///< asked after each step; true: save and return
  std::function<void(const std::string&)> warn;  ///< told of steps that had to be left out
};

/// For the progress line.
struct FitProgress {
  int64_t step = 0, step_budget = 0;
  double loss = 0;
  double held_out_psnr_db = 0;      ///< of the last check; NaN before the first one
  double seconds = 0, seconds_left = 0;
  uint64_t resident_bytes = 0;
  int64_t points = 0;
};

struct FitOutcome {
  bool finished = false;            ///< the budget is done, or the clock ended the fit
  bool ended_by_clock = false;
  int64_t steps = 0;
  double seconds = 0;
  StructureReport structure;        ///< what was held back
};

/// Steps that fit into the time, from a rehearsal of some.
int64_t estimate_step_budget(Fitter& fitter, double seconds_left);

/// Fits `model` into `run` (whose lock the caller holds) from the first step, or from its checkpoint on. Writes metrics,
/// checkpoints and, at the end, the model file. `progress` is called at most twice a second.
FitOutcome run_fit(SceneModel& model, ImageCache& photos, const RunFolder& run, const Checkpoint* resume,
                   const FitControls& controls, const std::function<void(const FitProgress&)>& progress);

}  // namespace ptl
