// A photo's pose, and its motions where the model knows of such, fitted to it with everything else fixed: held-out photos of fits
// that move poses (protocol "refined").
#pragma once

#include "datasets/image_cache.h"
#include "renderer/photometry.h"
#include "renderer/pipeline.h"

namespace ptl {

struct RefineViewOptions {
  int steps = 80;
  int crop_px = 256;
  double learning_rate = 5e-4;  ///< median depths and radians a step, falling linearly to 0
};

/// The view from `start` on that shows a region of the photo best, by the structure gradient of random crops of the region
/// (pixels [0, width) × [0, height) of the photo); crop as in `start`. Where the model was fitted with a rolling shutter or
/// motion blur, these of the photo too. Depends on the model's seed only.
RenderView refine_view(const SceneModel& model, ImageCache& photos, int64_t image, const RenderView& start,
                       const PhotometricSetting& setting, int32_t width_px, int32_t height_px,
                       const RefineViewOptions& options = {});

}  // namespace ptl
