// What a fit will start from and need on this machine, before it is begun.
#pragma once

#include <string>

#include "datasets/image_cache.h"
#include "datasets/prepare.h"
#include "datasets/split.h"
#include "renderer/config.h"
#include "renderer/fit_cloud.h"
#include "renderer/memory.h"
#include "renderer/scene_model.h"

namespace ptl {

/// The cloud and the layers of a fit of this configuration, without what the scene's edits drop; dense points are
/// counted, not made.
struct ExpectedStart {
  DenseDecision decision;
  StartingCloud cloud;
  PreparedPoints points;  ///< the scene's own
  LayerChoice layers;     ///< of these
  int used_layers = 0;    ///< the configuration's where it says so
};
ExpectedStart expected_start(Scene scene, const Split& split, const FitConfig& config);

struct PresetOutlook {
  MemoryPrediction memory;
  bool densifies = false;
  int64_t steps = 0;        ///< of the whole fit
  double seconds = 0;       ///< of the whole fit
  double step_seconds = 0;  ///< measured here
};

/// Rehearses some steps of the preset for a few seconds. Where the fit makes dense points, from the scene's own and
/// from jittered copies of them, and the time of a step is continued to the number of dense ones. Throws InputError for
/// photos that cannot be read, and when the split leaves none for training.
PresetOutlook preset_outlook(const Scene& scene, const std::string& preset, const SceneConfig& scene_config,
                             uint64_t image_cache_bytes);

/// "30 s", "5 min", "3 h", "12 days": about so long.
std::string rough_duration(double seconds);

}  // namespace ptl
