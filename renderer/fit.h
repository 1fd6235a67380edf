// Fitting a scene (method section 9): the loop over steps, its checks, checkpoints and metrics.
#pragma once

#include <functional>
#include <memory>

#include "datasets/image_cache.h"
#include "renderer/checkpoint.h"
#include "renderer/crops.h"
#include "renderer/grow.h"
#include "renderer/run_folder.h"
#include "renderer/scene_model.h"

namespace ptl {

/// What may differ between two fits without any difference in their result.
struct FitControls {
  uint64_t image_cache_bytes = 2ull << 30;
  double seconds_before = 0;        ///< of making the points: part of the fit's minutes
  int64_t check_every = 0;          ///< steps between held-out checks; 0: a tenth of the budget
  int check_images = 3;             ///< held-out images of a check, spread over all of them
  double checkpoint_seconds = 60;
  std::function<bool()> stop_requested;  ///< asked after each step; true: save and return
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
};

/// One fit in memory: model, optimiser, schedule. step() is all that changes the model.
class Fitter {
 public:
  Fitter(SceneModel& model, ImageCache& photos, int64_t step_budget);

  /// One step: its crops rendered and compared, gradients added in the order of the crops, one update. Returns the mean
  /// loss of the crops, without the regulariser.
  double step(int64_t step);

  /// Points that come and go before this step (renderer/grow.h), if it is time.
  std::optional<GrowEvent> grow_before(int64_t step);

  /// The work of a step without an update, for timing.
  void rehearse(int64_t step);

  void end_epoch(double mean_loss, int64_t step);

  /// Schedules and locks follow the budget: known after a rehearsal, or raised by a resumed fit.
  void set_step_budget(int64_t step_budget);

  Optimizer& optimizer() { return optimizer_; }
  Schedule& schedule() { return schedule_; }

 private:
  double accumulate_gradients(int64_t step);

  SceneModel& model_;
  ImageCache& photos_;
  EpochOrder order_;
  Optimizer optimizer_;
  Schedule schedule_;
  std::shared_ptr<const Vgg19Loss> vgg_;
};

/// Steps that fit into the time, from a rehearsal of some.
int64_t estimate_step_budget(Fitter& fitter, double seconds_left);

/// Fits `model` into `run` (whose lock the caller holds) from the first step, or from its checkpoint on. Writes metrics,
/// checkpoints and, at the end, the model file. `progress` is called at most twice a second.
FitOutcome run_fit(SceneModel& model, ImageCache& photos, const RunFolder& run, const Checkpoint* resume,
                   const FitControls& controls, const std::function<void(const FitProgress&)>& progress);

}  // namespace ptl
