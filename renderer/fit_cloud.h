// Which points a fit starts from: those of the scene, or dense ones made from its training photos.
#pragma once

#include <string>
#include <vector>

#include "datasets/scene.h"
#include "datasets/split.h"
#include "dense/densify.h"
#include "renderer/config.h"
#include "renderer/run_folder.h"

namespace ptl {

/// Whether a new fit makes dense points first (dense.mode, method section 10).
struct DenseDecision {
  bool densify = false;
  double spacing_px = 0;  ///< of the scene's own points in its photos; 0: it did not matter
};
DenseDecision decide_on_dense_points(const Scene& scene, const Split& split, const FitConfig& config);

struct FitCloud {
  bool densified = false;
  double seconds = 0;                ///< that densifying took now
  std::vector<std::string> remarks;  ///< for people
};

/// Replaces scene.cloud by dense points where the configuration asks for them: kept as dense.ply in the run's folder, whose
/// lock the caller holds, so that a resumed fit starts from the same. Held-out photos are never opened. An interrupted run
/// goes on with the depth maps that it had. `may_densify`: false for a resumed fit that started from other points. `device`:
/// where photos are matched.
/// InputError as densify(), where mode is on; with auto such a scene keeps its own points, and a remark says why.
FitCloud choose_fit_cloud(const Device& device, Scene& scene, const Split& split, const FitConfig& config,
                          const RunFolder& run, bool may_densify, const DenseProgress& progress);

}  // namespace ptl
