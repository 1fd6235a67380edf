// A pose fitted to its photo with everything else fixed: held-out photos of fits that move poses (protocol "refined"),
// and audits.
#pragma once

#include "datasets/image_cache.h"
#include "renderer/photometry.h"
#include "renderer/scene_model.h"

namespace ptl {

struct RefinePoseOptions {
  int steps = 80;
  int crop_px = 256;
  double learning_rate = 5e-4;  ///< median depths and radians a step, falling linearly to 0
};

/// The pose from `start` on that shows a region of the photo best, by the structure gradient of random crops of the
/// region (pixels [0, width) × [0, height) of the photo). Depends on the model's seed only.
Pose<double> refine_pose(const SceneModel& model, ImageCache& photos, int64_t image, const Pose<double>& start,
                         const PhotometricSetting& setting, int32_t width_px, int32_t height_px,
                         const RefinePoseOptions& options = {});

}  // namespace ptl
