// One fit in memory: model, optimiser, schedule, and what a step does to them. The loop around it: renderer/fit.h.
#pragma once

#include <memory>
#include <string>

#include "datasets/image_cache.h"
#include "renderer/crops.h"
#include "renderer/grow.h"
#include "renderer/optimizer.h"
#include "renderer/scene_model.h"
#include "renderer/schedule.h"
#include "renderer/structure_steps.h"

namespace ptl {

struct FitStep {
  double loss = 0;      ///< mean of the crops, without the regulariser
  std::string problem;  ///< why nothing was updated: what is not finite, of which image and group; empty: it was
};

/// Who updates the network.
enum class NetworkOwner {
  fitter,
  caller,  ///< several fitters share it: step() adds to its gradients, which the caller clears and applies
};

/// step() and grow_before() are all that changes the model.
class Fitter {
 public:
  Fitter(SceneModel& model, ImageCache& photos, int64_t step_budget, NetworkOwner network = NetworkOwner::fitter);

  /// One step: its crops rendered and compared, gradients added in the order of the crops, one update; none where a
  /// loss or a gradient is not finite.
  FitStep step(int64_t step);

  /// Points that come and go before this step (renderer/grow.h), if it is time.
  std::optional<GrowEvent> grow_before(int64_t step);

  /// The work of a step without an update, for timing.
  void rehearse(int64_t step);

  void end_epoch(double mean_loss, int64_t step);

  /// Schedules and locks follow the budget: known after a rehearsal, or raised by a resumed fit.
  void set_step_budget(int64_t step_budget);

  Optimizer& optimizer() { return optimizer_; }
  Schedule& schedule() { return schedule_; }
  const StructureReport& structure_report() const { return structure_report_; }

 private:
  FitStep accumulate_gradients(int64_t step);

  SceneModel& model_;
  NetworkOwner network_owner_;
  ImageCache& photos_;
  EpochOrder order_;
  StructureSteps structure_;
  StructureReport structure_report_;
  Optimizer optimizer_;
  Schedule schedule_;
  std::shared_ptr<const Vgg19Loss> vgg_;
};

}  // namespace ptl
